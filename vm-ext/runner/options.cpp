#include "options.h"

#include <getopt.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "../comet.h"

namespace comet::runner {
namespace {

constexpr char help_text[] =
    R"(Usage: comet-vm-no-scheme [OPTION]... IMAGE [ARGUMENT]...
Run the program in IMAGE on Comet VM, or go on from the state that one left
behind (--core). It sees its standard streams and its
arguments, and nothing else of this computer unless it is allowed.

Limits (N: decimal, or hexadecimal with 0x):
  --fuel N             stop after N instructions
  --time SECONDS       stop after so much time; fractions are allowed
  --memory SIZE        bytes the program may have mapped; suffix K, M or G (1G)
  --call-depth N       activations, that is, calls under way (262144)
  --registers N        registers that all windows together may reach (1048576)

What the program may do:
  --allow GROUP        grant a group of host calls
  --deny GROUP         take a group away
                       groups: exit, streams, arguments, memory, files, threads,
                       events (granted from the start), clock, random
  --dir DIR[:NAME][:ro]  let it use the files in DIR, which it calls NAME, or as
                       DIR is called; ro: reading only
  --env NAME=VALUE     set a variable of its environment, which is empty else
  --seed N             make what `random` gives the same on every run
  --turns N            draw how long the turns of threads are from the seed N

Files to look into with comet-vm debug:
  --core FILE          when the program does not end by itself, write its state
  --record FILE        write what it gets from outside, so that the run can be
                       repeated from it anywhere

Reports, all on standard error:
  --hash               print a hash of the final state
  --statistics         print the number of instructions, the time they took, and
                       what decoded code took of the host's memory
  --quiet              no report of traps and reached limits; the status tells

  --help               print this and exit
  --version            print the version and exit

Exit status: that of the program, modulo 256, or
   64  the command line is wrong         123  --fuel is used up
   65  IMAGE is not a valid image        124  --time is over
   66  IMAGE cannot be read              125  every thread waits
   70  an error in the runner itself     130  interrupted (Ctrl-C)
   71  the system or a limit refused     132  the program trapped
   74  the runner cannot write its own   141  the reader of the output is gone
       output
   77  IMAGE needs host calls that it was not allowed
)";

enum OptionId : int {
  option_fuel = 256,
  option_time,
  option_memory,
  option_call_depth,
  option_registers,
  option_allow,
  option_deny,
  option_dir,
  option_env,
  option_seed,
  option_turns,
  option_core,
  option_record,
  option_hash,
  option_statistics,
  option_quiet,
  option_help,
  option_version,
};

constexpr option long_options[] = {
    {"fuel", required_argument, nullptr, option_fuel},
    {"time", required_argument, nullptr, option_time},
    {"memory", required_argument, nullptr, option_memory},
    {"call-depth", required_argument, nullptr, option_call_depth},
    {"registers", required_argument, nullptr, option_registers},
    {"allow", required_argument, nullptr, option_allow},
    {"deny", required_argument, nullptr, option_deny},
    {"dir", required_argument, nullptr, option_dir},
    {"env", required_argument, nullptr, option_env},
    {"seed", required_argument, nullptr, option_seed},
    {"turns", required_argument, nullptr, option_turns},
    {"core", required_argument, nullptr, option_core},
    {"record", required_argument, nullptr, option_record},
    {"hash", no_argument, nullptr, option_hash},
    {"statistics", no_argument, nullptr, option_statistics},
    {"quiet", no_argument, nullptr, option_quiet},
    {"help", no_argument, nullptr, option_help},
    {"version", no_argument, nullptr, option_version},
    {nullptr, 0, nullptr, 0},
};

constexpr std::string_view groups[] = {"exit",    "streams", "arguments", "memory", "files",
                                       "threads", "events",  "clock",     "random"};

// Thrown where the command line is wrong; caught in read_options.
struct UsageError {
  std::string message;
};

uint64_t parse_number(std::string_view option, std::string_view text, std::string_view suffixes = "") {
  std::string_view digits = text;
  unsigned shift = 0;
  if (!digits.empty() && suffixes.find(digits.back()) != suffixes.npos) {
    shift = 10 * static_cast<unsigned>(suffixes.find(digits.back()) + 1);
    digits.remove_suffix(1);
  }
  const bool hexadecimal = digits.starts_with("0x");
  if (hexadecimal) digits.remove_prefix(2);
  uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, hexadecimal ? 16 : 10);
  const bool too_large = error == std::errc::result_out_of_range || (value << shift) >> shift != value;
  if (digits.empty() || stop != end || error == std::errc::invalid_argument || too_large) {
    throw UsageError{std::string(option) + " takes a number" +
                     (suffixes.empty() ? "" : ", with K, M or G behind it or not") +
                     (too_large ? " below 2^64" : "") + ", not '" + std::string(text) + "'"};
  }
  return value << shift;
}

uint64_t parse_seconds(std::string_view option, const char* text) {
  char* end = nullptr;
  const double seconds = std::strtod(text, &end);
  constexpr double most = 1e9;  // some thirty years
  if (end == text || *end != 0 || !(seconds > 0) || seconds > most) {
    throw UsageError{std::string(option) + " takes a number of seconds above 0 and up to 1000000000, not '" +
                     text + "'"};
  }
  return static_cast<uint64_t>(std::ceil(seconds * 1e9));
}

std::string parse_group(std::string_view option, const char* text) {
  for (const std::string_view group : groups) {
    if (group == text) return text;
  }
  throw UsageError{std::string(option) + " takes one of exit, streams, arguments, memory, files, threads, events, clock, random, not '" +
                   text + "'"};
}

// DIR, DIR:NAME, DIR:ro or DIR:NAME:ro
Directory parse_directory(std::string_view text) {
  Directory directory{std::string(text), "", false};
  if (text.ends_with(":ro")) {
    directory.read_only = true;
    directory.path.resize(text.size() - 3);
  }
  const size_t colon = directory.path.find(':');
  directory.name = colon == std::string::npos ? directory.path : directory.path.substr(colon + 1);
  directory.path.resize(std::min(colon, directory.path.size()));
  if (directory.path.empty() || directory.name.empty())
    throw UsageError{"--dir takes DIR, DIR:NAME or one of them with :ro behind it, not '" + std::string(text) + "'"};
  return directory;
}

const char* parse_setting(const char* text) {
  const size_t name = std::string_view(text).find('=');
  if (name == 0 || name == std::string_view::npos) throw UsageError{"--env takes NAME=VALUE, not '" + std::string(text) + "'"};
  return text;
}

void take_option(Options& options, int id, const char* value) {
  switch (id) {
    case option_fuel: options.fuel = parse_number("--fuel", value); break;
    case option_time: options.nanoseconds = parse_seconds("--time", value); break;
    case option_memory: options.memory = parse_number("--memory", value, "KMG"); break;
    case option_call_depth: options.call_depth = parse_number("--call-depth", value); break;
    case option_registers: options.registers = parse_number("--registers", value); break;
    case option_allow: options.groups.push_back({parse_group("--allow", value), true}); break;
    case option_deny: options.groups.push_back({parse_group("--deny", value), false}); break;
    case option_dir: options.directories.push_back(parse_directory(value)); break;
    case option_env: options.environment.push_back(parse_setting(value)); break;
    case option_seed: options.seed = parse_number("--seed", value); break;
    case option_turns: options.turns = parse_number("--turns", value); break;
    case option_core: options.core = value; break;
    case option_record: options.record = value; break;
    case option_hash: options.hash = true; break;
    case option_statistics: options.statistics = true; break;
    case option_quiet: options.quiet = true; break;
    default: break;
  }
}

int print_and_end(const char* text) {
  if (std::fputs(text, stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  std::fprintf(stderr, "%s: standard output cannot be written\n", program_name);
  return exit_own_output;
}

}  // namespace

std::optional<Options> read_options(int count, char** arguments, int& status) {
  Options options;
  try {
    opterr = 0;
    for (;;) {
      // `+`: the first word that is no option is the image; what follows belongs to the program.
      const int word = optind;
      const int id = getopt_long(count, arguments, "+:", long_options, nullptr);
      if (id == -1) break;
      if (id == ':') throw UsageError{std::string(arguments[word]) + " needs a value"};
      if (id == '?') {
        throw UsageError{std::string("there is no option ") + arguments[word] + ", or it takes no value"};
      }
      if (id == option_help) {
        status = print_and_end(help_text);
        return std::nullopt;
      }
      if (id == option_version) {
        status = print_and_end((std::string(program_name) + " " + comet_version() + "\n").c_str());
        return std::nullopt;
      }
      take_option(options, id, optarg);
    }
    if (optind >= count) throw UsageError{"no image is named"};
    options.arguments.assign(arguments + optind, arguments + count);
    return options;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s: %s; see %s --help\n", program_name, error.message.c_str(), program_name);
    status = exit_usage;
    return std::nullopt;
  }
}

}  // namespace comet::runner
