// Random programs with threads, events and trap handlers, whose threads take turns: the plain interpreter executes one
// instruction at a time, and what comes from outside is recorded; the fast one repeats that recording, one instruction at a
// time, in runs of any length, and in one go, also without a fast window. After each instruction at which both stand, the
// state has to be the same.
#include <cstdlib>
#include <map>

#include "state_files.h"
#include "threaded_program.h"

namespace fuzz {
namespace {

constexpr std::uint64_t most_instructions = 1200;

struct {
  std::uint64_t programs, instructions, threads, handlers, asked, compared;
  std::map<std::string, std::uint64_t> ends;
} counts;

// Who waits for an event gives up after so many milliseconds: there will be another.
int patience = 0;

struct state {
  state_hash hash;
  std::string words;  // where TRACE is set
};
using states = std::map<std::uint64_t, state>;  // by the instruction count of all threads

machine_pointer new_machine(std::uint64_t window) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = window;
  config.memory_limit = 1 << 22;
  config.register_limit = 1 << 12;
  config.call_depth_limit = 24;
  config.thread_limit = 8;
  comet_machine* made = nullptr;
  comet::detail::checked(comet_machine_new, &config, &made);
  machine_pointer machine(made);
  comet_host_grant_standard(made, "random", nullptr);
  comet_host_grant(made, "ask", nullptr, nullptr, nullptr);
  comet_set_poll(made, [](void*) { return --patience < 0 ? 1 : 0; }, nullptr);
  return machine;
}

std::uint64_t count_of(const comet_machine* machine) {
  comet_schedule schedule = COMET_SCHEDULE_INIT;
  comet_schedule_get(machine, &schedule, nullptr);
  return schedule.instruction_count;
}

// Where the threads are.
std::string describe(const comet_machine* machine) {
  comet_schedule schedule = COMET_SCHEDULE_INIT;
  comet_schedule_get(machine, &schedule, nullptr);
  std::string words = "\n  turn of " + std::to_string(schedule.current) + ", " + std::to_string(schedule.slice_left) +
                      " left; memory";
  bytes page(COMET_PAGE_SIZE);
  for (const std::uint64_t address : {0x10000, 0x20000})
    if (comet_read(machine, 0, address, page.data(), page.size(), nullptr) == COMET_OK)
      words += " " + std::to_string(comet_checksum(page.data(), page.size()) % 100000);
  for (comet_thread id = 0; comet_next_thread(machine, id, &id, nullptr) == COMET_OK; ++id) {
    comet_thread_info info = COMET_THREAD_INFO_INIT;
    comet_thread_get(machine, id, &info, nullptr);
    words += "\n  thread " + std::to_string(id) + ": count " + std::to_string(info.instruction_count) + ", standing " +
             std::to_string(info.standing) + " at " + std::to_string(info.place) + ", handlers " + std::to_string(info.handlers) +
             ", " + comet::describe_place(nullptr, info.pc);
    std::uint8_t code[16];
    char text[80];
    if (comet_read(machine, info.space, info.pc, code, sizeof code, nullptr) != COMET_OK) continue;
    comet_disassemble(nullptr, code, sizeof code, info.pc, text, sizeof text);
    words += std::string(" ") + text;
    for (std::uint64_t n = 0; n < 24; ++n) {
      std::uint64_t value = 0;
      if (comet_get_register(machine, id, 0, n, &value, nullptr) == COMET_OK && value != 0)
        words += " r" + std::to_string(n) + "=" + std::to_string(value);
    }
  }
  return words;
}

state state_of(const comet_machine* machine) {
  static const bool traced = std::getenv("TRACE") != nullptr;
  return {hash_of(machine), traced ? describe(machine) : ""};
}

// Answers the calls that wait, as an embedder does: by a result, and something written to memory.
void answer(comet_machine* machine) {
  comet_thread thread = 0;
  std::uint32_t index = 0;
  while (comet_host_waiting(machine, 0, &thread, &index, nullptr) == COMET_OK) {
    std::uint64_t value = 0;
    comet_host_argument(machine, thread, 0, &value, nullptr);
    value = value * 31 + thread;
    comet_host_write(machine, thread, 0x20000 + 512, &value, sizeof value, nullptr);
    comet_host_complete(machine, thread, value, nullptr);
    ++counts.asked;
  }
}

void look_around(const comet_machine* machine) {
  std::uint64_t threads = 0;
  for (comet_thread id = 0; comet_next_thread(machine, id, &id, nullptr) == COMET_OK; ++id) {
    comet_thread_info info = COMET_THREAD_INFO_INIT;
    comet_thread_get(machine, id, &info, nullptr);
    counts.handlers += info.handlers;
    ++threads;
  }
  counts.threads = std::max(counts.threads, threads);
}

// One instruction at a time, told of by comet_observe, which the plain interpreter alone does. Gives the state after each.
states reference_run(comet_machine* machine, random_source& random, comet_stop& stop) {
  states found;
  std::uint64_t idle = 0;
  while (found.size() < most_instructions && idle < 8) {
    if (random.one_in(12)) comet_post_event(machine, COMET_ON_POSTED, random.below(4), random.word());
    comet_observation observation = COMET_OBSERVATION_INIT;
    comet_error error = COMET_ERROR_INIT;
    patience = 1;
    require(comet_observe(machine, COMET_EVERY_THREAD, 1, &observation, &stop, &error) == COMET_OK, error.message);
    require(stop.executed <= 1, "more instructions were executed than there was fuel");
    idle = stop.executed == 0 ? idle + 1 : 0;
    if (stop.reason == COMET_HOST_CALL) answer(machine);
    found.emplace(count_of(machine), state_of(machine));  // not where it stands when it began to wait, without counting
    if (found.size() % 64 == 0) look_around(machine);
    if (stop.reason == COMET_HALTED || stop.reason == COMET_TRAP || stop.reason == COMET_WAITING) break;
  }
  return found;
}

// The recording once more. A call that the recording has not, for it was never answered, ends it.
void compare(const comet_state* recording, const states& expected, std::uint64_t window, std::uint64_t longest,
             random_source& random) {
  const machine_pointer machine = new_machine(window);
  comet::detail::checked(comet_state_restore, machine.get(), recording);
  comet::detail::checked(comet_timeline_load, machine.get(), recording, std::uint64_t{1 << 22});
  const std::uint64_t end = expected.rbegin()->first;
  int idle = 0;
  for (std::uint64_t count = count_of(machine.get()); count < end;) {
    const std::uint64_t fuel = std::min(1 + random.below(longest), end - count);
    comet_stop stop = COMET_STOP_INIT;
    comet_error error = COMET_ERROR_INIT;
    patience = 10;
    require(comet_run(machine.get(), COMET_EVERY_THREAD, fuel, &stop, &error) == COMET_OK, error.message);
    count = count_of(machine.get());
    require(stop.executed <= fuel, "more instructions were executed than there was fuel");
    require(stop.executed != 0 || ++idle < 100, "the recording does not go on where it did");
    if (stop.reason != COMET_OUT_OF_FUEL) continue;
    const auto found = expected.find(count);
    require(found != expected.end(), "the recording stands where it never stood");
    ++counts.compared;
    const state now = state_of(machine.get());
    if (found->second.hash != now.hash)
      throw broken_promise("after " + std::to_string(count) + " instructions, in runs of up to " +
                           std::to_string(longest) + (window == 0 ? " without a window" : "") + ", the state is another;" + found->second.words + "\nand here" + now.words);
  }
}

}  // namespace

void report(std::ostream& out) {
  out << counts.programs << " programs, " << counts.instructions << " instructions, " << counts.compared
      << " states compared; up to " << counts.threads << " threads, " << counts.asked << " calls answered, "
      << counts.handlers << " handlers seen under way\n";
  for (const auto& [end, times] : counts.ends) out << "  " << times << " " << end << "\n";
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t length) {
  using namespace fuzz;
  random_source random(input, length);
  const comet::image image = threaded_program(random);
  const std::uint64_t window = std::uint64_t{1} << 32;
  const machine_pointer reference = new_machine(window);
  comet::detail::checked(comet_image_load, image.get(), reference.get(), comet_space{0});
  comet_set_random_seed(reference.get(), 1);
  comet::detail::checked(comet_schedule_set, reference.get(), 1 + random.below(30), random.below(3));
  comet::detail::checked(comet_timeline_start, reference.get(), std::uint64_t{1 << 22});
  bytes file;
  comet::detail::checked(comet_record_start, reference.get(), static_cast<const comet_save_options*>(nullptr), append,
                         static_cast<void*>(&file));
  comet_stop stop = COMET_STOP_INIT;
  const states expected = reference_run(reference.get(), random, stop);
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.stop = &stop;
  options.thread = stop.thread;
  comet::detail::checked(comet_record_stop, reference.get(), static_cast<const comet_save_options*>(&options));
  ++counts.programs;
  counts.instructions += expected.rbegin()->first;
  ++counts.ends[stop.reason == COMET_TRAP ? comet_trap_name(stop.trap) : comet_reason_name(stop.reason)];
  const state_pointer recording = read_state(file.data(), file.size(), nullptr);
  require(recording != nullptr, "a recording cannot be read");
  for (const std::uint64_t longest : {1, 6, 60, 1 << 20}) compare(recording.get(), expected, window, longest, random);
  compare(recording.get(), expected, 0, 40, random);
  return 0;
}
