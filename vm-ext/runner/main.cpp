// comet-vm-no-scheme: runs one image, or goes on from a state, locked down, and says how it ended.
//
// Uses nothing of the machine but comet.h, so that it is also an example of embedding it.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "../comet.h"
#include "confine.h"
#include "options.h"
#include "output_file.h"
#include "report.h"
#include "signals.h"
#include "statistics.h"
#include "text.h"
#include "verify.h"

namespace comet::runner {
namespace {

void say(const std::string& text) {
  std::fprintf(stderr, "%s: %s%s", program_name, text.c_str(), text.ends_with('\n') ? "" : "\n");
}

// Ends main with a status once something went wrong that was reported already.
struct Exit {
  int status;
};

[[noreturn]] void end(int status, const std::string& message) {
  say(message);
  throw Exit{status};
}

struct Free {
  void operator()(comet_image* image) const { comet_image_free(image); }
  void operator()(comet_state* state) const { comet_state_free(state); }
  void operator()(comet_linker* linker) const { comet_linker_free(linker); }
  void operator()(comet_machine* machine) const { comet_machine_free(machine); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// A file is read at its size; what has no size, such as a pipe, may not go on for ever.
std::vector<uint8_t> read_file(const char* path) {
  constexpr size_t most_without_size = size_t{64} << 20;
  constexpr off_t most = off_t{1} << 31;
  const std::string name = path;
  const std::unique_ptr<std::FILE, Free> file(std::fopen(path, "rb"));
  struct stat information {};
  if (!file || fstat(fileno(file.get()), &information) != 0) {
    end(exit_no_image, name + ": cannot be opened: " + std::strerror(errno));
  }
  const bool has_size = S_ISREG(information.st_mode);
  if (has_size && information.st_size > most) end(exit_bad_image, name + ": is longer than the 2 GiB that are read at most");
  std::vector<uint8_t> bytes(has_size ? static_cast<size_t>(information.st_size) : 65536);
  size_t length = 0;
  for (;;) {
    length += std::fread(bytes.data() + length, 1, bytes.size() - length, file.get());
    if (std::ferror(file.get())) end(exit_no_image, name + ": cannot be read: " + std::strerror(errno));
    if (has_size || length < bytes.size()) break;
    if (length >= most_without_size) end(exit_bad_image, name + ": is no file and gives more than 64 MiB");
    bytes.resize(2 * length);
  }
  bytes.resize(length);
  return bytes;
}

// What is run: the program of an image, or a program that goes on from the state which it left behind.
struct Program {
  std::unique_ptr<comet_image, Free> own_image;
  std::unique_ptr<comet_state, Free> state;
  const comet_image* image() const { return state ? comet_state_image(state.get()) : own_image.get(); }
};

void check(comet_status status, const comet_error& error) {
  if (status != COMET_OK) end(exit_system, error.message);
}

bool begins_with(const std::vector<uint8_t>& bytes, std::string_view magic) {
  return bytes.size() > magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

[[noreturn]] void end_for_file(comet_status status, const std::string& message) {
  end(status == COMET_ERROR_FORMAT || status == COMET_ERROR_STATE ? exit_bad_image : exit_system, message);
}

comet_image* link(const char* path, const std::vector<uint8_t>& bytes, const std::vector<std::string>& others) {
  comet_error error = COMET_ERROR_INIT;
  comet_linker* linker = nullptr;
  comet_image* image = nullptr;
  check(comet_linker_new(&linker, &error), error);
  const std::unique_ptr<comet_linker, Free> owner(linker);
  comet_status status = comet_linker_add(linker, path, bytes.data(), bytes.size(), &error);
  for (const std::string& other : others) {
    if (status != COMET_OK) break;
    const std::vector<uint8_t> more = read_file(other.c_str());
    status = comet_linker_add(linker, other.c_str(), more.data(), more.size(), &error);
  }
  if (status == COMET_OK) status = comet_linker_link(linker, nullptr, &image, &error);
  if (status != COMET_OK) end_for_file(status, error.message);
  return image;
}

Program open_program(const char* path, const Options& options) {
  const std::vector<uint8_t> bytes = read_file(path);
  const bool is_state = begins_with(bytes, "\x89" "CMS");
  const bool is_object = begins_with(bytes, "\x89" "CMO") || begins_with(bytes, "!<arch>\n");
  if (is_object) {
    return {std::unique_ptr<comet_image, Free>(link(path, bytes, options.with)), nullptr};
  }
  if (!options.with.empty()) end(exit_usage, std::string(path) + ": is no object; --with links objects and archives");
  comet_image* image = nullptr;
  comet_state* state = nullptr;
  comet_error error = COMET_ERROR_INIT;
  const comet_status status = is_state ? comet_state_read(bytes.data(), bytes.size(), nullptr, &state, &error)
                                       : comet_image_read(bytes.data(), bytes.size(), &image, &error);
  Program program{std::unique_ptr<comet_image, Free>(image), std::unique_ptr<comet_state, Free>(state)};
  if (status != COMET_OK) end_for_file(status, std::string(path) + ": " + error.message);
  comet_state_info info = COMET_STATE_INFO_INIT;
  if (is_state && comet_state_get(state, &info, nullptr) == COMET_OK && info.recording)
    end(exit_bad_image, std::string(path) + ": is a recording; comet-vm debug --replay shows what was done");
  return program;
}

std::unique_ptr<comet_machine, Free> make_machine(const Options& options) {
  comet_config config = COMET_CONFIG_INIT;
  if (options.memory) config.memory_limit = *options.memory;
  if (options.call_depth) config.call_depth_limit = *options.call_depth;
  if (options.registers) config.register_limit = *options.registers;
  comet_error error = COMET_ERROR_INIT;
  comet_machine* machine = nullptr;
  const comet_status status = comet_machine_new(&config, &machine, &error);
  if (status == COMET_ERROR_ARGUMENT) end(exit_usage, error.message);
  check(status, error);
  std::unique_ptr<comet_machine, Free> owner(machine);
  if (options.output) {
    comet_limits limits = COMET_LIMITS_INIT;
    check(comet_get_limits(machine, &limits, &error), error);
    limits.output = *options.output;
    check(comet_set_limits(machine, &limits, &error), error);
  }
  for (const GroupChange& change : options.groups) {
    const auto apply = change.allow ? comet_host_grant_standard : comet_host_revoke_standard;
    check(apply(machine, change.group.c_str(), &error), error);
  }
  std::vector<const char*> environment;
  for (const std::string& entry : options.environment) environment.push_back(entry.c_str());
  check(comet_set_environment(machine, environment.size(), environment.data(), &error), error);
  check(comet_set_arguments(machine, options.arguments.size(), options.arguments.data(), &error), error);
  for (const Directory& directory : options.directories) {
    const int access = directory.read_only ? COMET_READ : COMET_READ | COMET_WRITE;
    if (comet_grant_directory(machine, directory.path.c_str(), directory.name.c_str(), access, &error) != COMET_OK)
      end(exit_usage, std::string("--dir: ") + error.message);
  }
  if (options.seed) comet_set_random_seed(machine, *options.seed);
  if (options.turns) {
    comet_schedule schedule = COMET_SCHEDULE_INIT;
    check(comet_schedule_get(machine, &schedule, &error), error);
    check(comet_schedule_set(machine, schedule.slice, *options.turns, &error), error);
  }
  return owner;
}

// A program that goes on here misses its files where nobody gives it their directory, and does not say why.
void note_missing_directories(const Options& options, const comet_state* state) {
  const char* name = nullptr;
  for (uint32_t i = 0; !options.quiet && (name = comet_state_directory(state, i)) != nullptr; ++i) {
    const auto is_it = [&](const Directory& directory) { return directory.name == name; };
    if (std::none_of(options.directories.begin(), options.directories.end(), is_it))
      say("the program had files of the directory " + visible(name) + ", which it is not given here; --dir DIR:" + visible(name) +
          " does");
  }
}

void load(const char* path, const Options& options, const Program& program, comet_machine* machine) {
  comet_error error = COMET_ERROR_INIT;
  const comet_status status = program.state ? comet_state_restore(machine, program.state.get(), &error)
                                            : comet_image_load(program.own_image.get(), machine, 0, &error);
  if (status == COMET_OK) return note_missing_directories(options, program.state.get());
  const std::string message = std::string(path) + ": " + error.message;
  if (status == COMET_ERROR_CAPABILITY) {
    end(exit_not_granted, message + " (--allow grants the groups that --help names)");
  }
  if (status == COMET_ERROR_MEMORY) end(exit_system, message + " (--memory sets the limit)");
  end(exit_system, message);
}

double seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

int exit_status_of(const comet_stop& stop, int signal) {
  switch (stop.reason) {
    case COMET_HALTED: return static_cast<int>(static_cast<uint64_t>(stop.exit_status) & 255);
    case COMET_OUT_OF_FUEL: return exit_out_of_fuel;
    case COMET_TRAP: return exit_trap;
    case COMET_WAITING: return exit_waiting;
    case COMET_LIMIT: return exit_out_of_output;  // no other that ends so is set
    case COMET_INTERRUPTED:
      return signal != 0 ? exit_signalled + signal : exit_out_of_time;
    default: return exit_internal;
  }
}

// Instructions of all threads.
uint64_t executed_by(const comet_machine* machine) {
  comet_schedule schedule = COMET_SCHEDULE_INIT;
  comet_error error = COMET_ERROR_INIT;
  check(comet_schedule_get(machine, &schedule, &error), error);
  return schedule.instruction_count;
}

void report_end(const Options& options, const comet_image* image, const comet_machine* machine,
                const comet_stop& stop, int status) {
  const std::string where =
      " at " + place(image, stop.pc) + " after " + std::to_string(executed_by(machine)) + " instructions";
  switch (status) {
    case exit_trap: say(trap_report(image, machine, stop.thread, stop)); break;
    case exit_out_of_fuel:
      say("out of fuel" + where + "; --fuel " + std::to_string(options.fuel) + " is used up");
      break;
    case exit_out_of_output: say("out of output" + where + "; --output is used up"); break;
    case exit_out_of_time: say("out of time" + where + "; --time is over"); break;
    case exit_interrupted: say("interrupted" + where); break;
    case exit_waiting:
      say("every thread waits, after " + std::to_string(executed_by(machine)) + " instructions:\n" + threads(image, machine));
      break;
    case exit_internal:
      say("stopped without being asked to (" + std::string(comet_reason_name(stop.reason)) + ")" + where);
      break;
    case exit_output_closed: break;  // as other programs: who closed the output knows
    default: say("ended by signal " + std::to_string(status - exit_signalled) + where); break;
  }
}

// What goes along with the state in a core or a recording. `stop` is null at the beginning.
comet_save_options save_options(const comet_image* image, const comet_stop* stop) {
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.image = image;
  options.stop = stop;
  if (stop != nullptr) options.thread = stop->thread;
  return options;
}

// Says what became of a file. The program's own end is what counts for the exit status.
void report_file(const OutputFile& file, comet_status status, const comet_error& error) {
  if (status != COMET_OK) say(file.error().empty() ? error.message : file.error());
}

// Writes down what the program gets from outside.
class Recording {
 public:
  Recording(const std::string& path, comet_machine* machine, const comet_image* image) : file_(path), machine_(machine) {
    comet_error error = COMET_ERROR_INIT;
    const comet_save_options options = save_options(image, nullptr);
    // The runner goes back to nothing, so the machine's own log holds nothing.
    check(comet_timeline_start(machine, 0, &error), error);
    if (comet_record_start(machine, &options, OutputFile::take, &file_, &error) != COMET_OK)
      end(exit_system, file_.error().empty() ? error.message : file_.error());
  }
  void finish(const comet_stop& stop) {
    comet_error error = COMET_ERROR_INIT;
    const comet_save_options options = save_options(nullptr, &stop);
    report_file(file_, comet_record_stop(machine_, &options, &error), error);
  }

 private:
  OutputFile file_;
  comet_machine* machine_;
};

void write_core(OutputFile& file, const comet_machine* machine, const comet_image* image, const comet_stop& stop) {
  comet_error error = COMET_ERROR_INIT;
  const comet_save_options options = save_options(image, &stop);
  report_file(file, comet_state_save(machine, &options, OutputFile::take, &file, nullptr, &error), error);
}

int print(const Verdict& verdict) {
  const bool printed = std::fputs(verdict.text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (!printed) end(exit_own_output, "standard output cannot be written");
  return verdict.status;
}

int run(const Options& options) {
  const char* path = options.arguments.front();
  const Program program = open_program(path, options);
  const comet_image* const image = program.image();
  if (program.state && options.arguments.size() > 1)
    end(exit_usage, std::string(path) + ": a state has its program's arguments in it; `" + options.arguments[1] + "` is too much");
  const auto machine = make_machine(options);
  if (options.verify) {
    if (program.state) end(exit_usage, std::string(path) + ": is a state; --verify takes images");
    return print(verify(image, machine.get(), options.json));
  }
  load(path, options, program, machine.get());
  Signals signals(machine.get());
  std::optional<Recording> recording;
  if (options.record) recording.emplace(*options.record, machine.get(), image);
  std::optional<OutputFile> core, statistics_file;
  if (options.core) core.emplace(*options.core);
  if (options.statistics) statistics_file.emplace(*options.statistics);
  const auto make_threads = [&] {
    comet_error error = COMET_ERROR_INIT;
    if (options.host_threads) check(comet_set_host_threads(machine.get(), *options.host_threads, &error), error);
  };
  Fences fences;
  if (options.confine) fences = confine(options.directories, make_threads);
  else make_threads();
  if (!fences.refusal.empty()) say(fences.refusal);

  const double begin = seconds_now();
  const auto time_is_over = [&] {
    return options.nanoseconds && (seconds_now() - begin) * 1e9 >= static_cast<double>(*options.nanoseconds);
  };
  if (options.nanoseconds) comet_set_deadline(machine.get(), *options.nanoseconds);
  comet_stop stop = COMET_STOP_INIT;
  comet_error error = COMET_ERROR_INIT;
  uint64_t fuel = 0;  // that is used up
  do {
    check(comet_run(machine.get(), COMET_EVERY_THREAD, options.fuel - fuel, &stop, &error), error);
    fuel += stop.fuel;
  } while (stop.reason == COMET_INTERRUPTED && signals.hand_on() && !time_is_over());
  const double seconds = seconds_now() - begin;

  const int status = exit_status_of(stop, signals.ending());
  if (recording) recording->finish(stop);
  if (core && stop.reason != COMET_HALTED && status != exit_output_closed)
    write_core(*core, machine.get(), image, stop);
  if (stop.reason != COMET_HALTED && !options.quiet)
    report_end(options, image, machine.get(), stop, status);
  if (statistics_file) {
    const std::string json = statistics(machine.get(), stop, Outcome{status, seconds, fuel, fences});
    if (OutputFile::take(&*statistics_file, json.data(), json.size()) != 0) say(statistics_file->error());
  }
  if (options.hash) {
    uint8_t hash[16];
    check(comet_state_hash(machine.get(), hash, &error), error);
    std::fputs("hash: ", stderr);
    for (const uint8_t byte : hash) std::fprintf(stderr, "%02x", byte);
    std::fputc('\n', stderr);
  }
  return status;
}

}  // namespace
}  // namespace comet::runner

int main(int count, char** arguments) {
  using namespace comet::runner;
  try {
    int status = 0;
    const std::optional<Options> options = read_options(count, arguments, status);
    return options ? run(*options) : status;
  } catch (const Exit& exit) {
    return exit.status;
  } catch (const std::string& message) {
    say(message);
    return exit_system;
  } catch (const std::exception& exception) {
    say(exception.what());
    return exit_system;
  }
}
