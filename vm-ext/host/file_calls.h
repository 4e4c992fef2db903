// The standard host calls of the group "files": what they take and give is in README.md.
#pragma once

#include <array>
#include <string_view>

#include "../comet.h"

namespace comet {

struct FileCall {
  std::string_view name;
  comet_host_function function;
};

extern const std::array<FileCall, 23> file_calls;

}  // namespace comet
