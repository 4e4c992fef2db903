// The command line of comet-vm-no-scheme, and its exit statuses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace comet::runner {

inline constexpr char program_name[] = "comet-vm-no-scheme";

// Exit statuses of the runner's own. The program's own exit status is passed on modulo 256, so a program
// that wants to be told apart from these keeps to 0 to 63.
enum ExitStatus : int {
  exit_remarks = 1,       // of --verify
  exit_usage = 64,        // as EX_USAGE of sysexits.h
  exit_bad_image = 65,    // as EX_DATAERR
  exit_no_image = 66,     // as EX_NOINPUT
  exit_internal = 70,     // as EX_SOFTWARE
  exit_system = 71,       // as EX_OSERR
  exit_own_output = 74,   // as EX_IOERR
  exit_not_granted = 77,  // as EX_NOPERM
  exit_bad_config = 78,   // as EX_CONFIG
  exit_out_of_output = 122,
  exit_out_of_fuel = 123,
  exit_out_of_time = 124,    // as timeout(1)
  exit_waiting = 125,        // every thread waits
  exit_signalled = 128,      // and the number of the signal, as a shell reports it
  exit_interrupted = 130,    // SIGINT
  exit_trap = 132,           // as a shell reports SIGILL
  exit_output_closed = 141,  // SIGPIPE
};

// A change of what the machine is granted; they are made in the order of the settings.
struct GroupChange {
  std::string group;
  bool allow;
};

// A directory of the host that the program may use.
struct Directory {
  std::string path;
  std::string name;  // in the program
  bool read_only;
};

struct Options {
  uint64_t fuel = UINT64_MAX;
  std::optional<uint64_t> nanoseconds;
  std::optional<uint64_t> memory;
  std::optional<uint64_t> call_depth;
  std::optional<uint64_t> registers;
  std::optional<uint64_t> output;
  std::optional<uint64_t> seed;
  std::optional<uint64_t> turns;  // seed of the lengths of threads' turns
  std::optional<uint32_t> host_threads;  // for threads that do not take turns
  std::vector<GroupChange> groups;
  std::vector<Directory> directories;
  std::vector<std::string> environment;  // NAME=VALUE, each name once
  bool confine = true;
  std::vector<std::string> with;  // objects and archives that the program is linked with
  std::optional<std::string> core;
  std::optional<std::string> record;
  std::optional<std::string> statistics;  // a path, or `-` for standard error
  bool hash = false;
  bool quiet = false;
  bool verify = false;  // do not run it
  bool json = false;    // verify: for programs
  std::vector<const char*> arguments;  // the image's path, then the program's arguments
};

// Reads the command line and the configuration file that it names. What ends the run at once (--help, --version, a mistake) is done here: then the
// result is nothing and `status` is the exit status.
std::optional<Options> read_options(int count, char** arguments, int& status);

}  // namespace comet::runner
