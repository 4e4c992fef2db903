#include "options.h"

#include <getopt.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "../comet.h"
#include "config_file.h"
#include "settings.h"

namespace comet::runner {
namespace {

constexpr char help_text[] =
    R"(Usage: comet-vm-no-scheme [OPTION]... IMAGE [ARGUMENT]...
Run the program in IMAGE on Comet VM, which may be an object as well (--with),
or go on from the state that one left behind (--core). It sees its standard streams and its
arguments, and nothing else of this computer unless it is allowed.

Limits (N: decimal, or hexadecimal with 0x):
  --fuel N             stop after N instructions
  --time SECONDS       stop after so much time; fractions are allowed
  --memory SIZE        bytes the program may have mapped; suffix K, M or G (1G)
  --call-depth N       activations, that is, calls under way (262144)
  --registers N        registers that all windows together may reach (1048576)
  --output SIZE        bytes that it may write to its streams; suffix as above

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
  --parallel N         run its threads at the same time, on up to N threads of
                       this computer, and not in turns
  --no-confine         leave out the operating system's own fence around the
                       runner (seccomp)

Files to look into with comet-vm debug:
  --core FILE          when the program does not end by itself, write its state
  --record FILE        write what it gets from outside, so that the run can be
                       repeated from it anywhere

Reports, all on standard error:
  --hash               print a hash of the final state
  --statistics FILE    write what the run took, as JSON; -: to standard error
  --quiet              no report of traps and reached limits; the status tells

  --with FILE          link IMAGE, an object or archive, with another one
  --config FILE        read settings from FILE: a line `fuel = 1000` for --fuel
                       1000, `quiet = yes` for --quiet. Options go before it
  --verify             do not run IMAGE, but tell what it is and could do: its
                       sections, host calls, and the code that can be reached
  --json               --verify for programs
  --help               print this and exit
  --version            print the version and exit

Exit status of --verify: 0, 1 where there is something to remark, or 64 to 77.
Exit status: that of the program, modulo 256, or
   64  the command line is wrong         122  --output is used up
   65  IMAGE is not a valid image        123  --fuel is used up
   66  IMAGE cannot be read              124  --time is over
   70  an error in the runner itself     125  every thread waits
   71  the system or a limit refused     129  SIGHUP     130  Ctrl-C
   74  the runner cannot write its own   138  SIGUSR1    143  SIGTERM
       output                            132  the program trapped
   77  IMAGE needs host calls that it    141  the reader of the output is gone
       was not allowed
   78  the configuration file is wrong
A program that has a handler for one of these signals gets it instead.
)";

// What getopt_long gives: the number of a setting, or one of these.
enum OptionId : int { first_setting = 256, option_config = 1000, option_help, option_version };

std::vector<option> long_options() {
  std::vector<option> all;
  int id = first_setting;
  for (const Setting& setting : settings())
    all.push_back({setting.name, setting.takes_value ? required_argument : no_argument, nullptr, id++});
  all.push_back({"config", required_argument, nullptr, option_config});
  all.push_back({"help", no_argument, nullptr, option_help});
  all.push_back({"version", no_argument, nullptr, option_version});
  all.push_back({});
  return all;
}

void set(Options& options, const Setting& setting, std::string_view value) {
  try {
    setting.take(options, value);
  } catch (const UsageError& error) {
    throw UsageError{std::string("--") + setting.name + " " + error.message};
  }
}

int print_and_end(const char* text) {
  if (std::fputs(text, stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  std::fprintf(stderr, "%s: standard output cannot be written\n", program_name);
  return exit_own_output;
}

// The command line, before anything of it counts: the file that it names is to be read first.
struct CommandLine {
  std::vector<std::pair<const Setting*, std::string_view>> set;
  std::optional<std::string> config;
  std::optional<int> ends_with;  // a status
};

CommandLine read_command_line(int count, char** arguments) {
  const std::vector<option> known = long_options();
  CommandLine line;
  opterr = 0;
  for (;;) {
    // `+`: the first word that is no option is the image; what follows belongs to the program.
    const int word = optind;
    const int id = getopt_long(count, arguments, "+:", known.data(), nullptr);
    if (id == -1) return line;
    if (id == ':') throw UsageError{std::string(arguments[word]) + " needs a value"};
    if (id == '?') throw UsageError{std::string("there is no option ") + arguments[word] + ", or it takes no value"};
    if (id == option_help) line.ends_with = print_and_end(help_text);
    if (id == option_version)
      line.ends_with = print_and_end((std::string(program_name) + " " + comet_version() + "\n").c_str());
    if (line.ends_with) return line;
    if (id == option_config) line.config = optarg;
    else line.set.emplace_back(&settings()[static_cast<size_t>(id - first_setting)], optarg == nullptr ? "yes" : optarg);
  }
}

}  // namespace

std::optional<Options> read_options(int count, char** arguments, int& status) {
  status = exit_usage;
  try {
    const CommandLine line = read_command_line(count, arguments);
    if (line.ends_with) {
      status = *line.ends_with;
      return std::nullopt;
    }
    Options options;
    if (line.config) {
      status = exit_bad_config;
      read_config(*line.config, options);
      status = exit_usage;
    }
    for (const auto& [setting, value] : line.set) set(options, *setting, value);
    if (options.json && !options.verify) throw UsageError{"--json belongs to --verify"};
    if (options.host_threads && options.turns) throw UsageError{"--turns is for threads that take turns, without --parallel"};
    if (options.host_threads && options.record)
      throw UsageError{"--record repeats threads that take turns; leave out --parallel"};
    if (optind >= count) throw UsageError{"no image is named"};
    options.arguments.assign(arguments + optind, arguments + count);
    return options;
  } catch (const UsageError& error) {
    const char* const advice = status == exit_usage ? "; see comet-vm-no-scheme --help" : "";
    std::fprintf(stderr, "%s: %s%s\n", program_name, error.message.c_str(), advice);
    return std::nullopt;
  }
}

}  // namespace comet::runner
