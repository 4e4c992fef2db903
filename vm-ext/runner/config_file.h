// A file of settings: lines `name = value`, empty ones, and comments, which begin with `#`.
#pragma once

#include <string>

#include "options.h"

namespace comet::runner {

// Sets what the file says. Throws a UsageError whose message begins with `file:line:column:`, or with the file's name
// where it cannot be read. Values stand as they are up to the end of the line, without the blanks around them.
void read_config(const std::string& path, Options& options);

}  // namespace comet::runner
