// What can be set about a run, each on the command line (`--name value`) and in a configuration file (`name = value`).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "options.h"

namespace comet::runner {

// Thrown where something is set that cannot be; `message` goes on from the setting's name: "takes a number, not 'x'".
struct UsageError {
  std::string message;
};

struct Setting {
  const char* name;
  bool takes_value;  // else the value is `yes` or `no`, and `yes` on the command line
  void (*take)(Options& options, std::string_view value);
};

std::span<const Setting> settings();

}  // namespace comet::runner
