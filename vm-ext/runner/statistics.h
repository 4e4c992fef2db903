// What a run took, for programs that read it.
#pragma once

#include <string>

#include "../comet.h"

namespace comet::runner {

// A JSON object on several lines. `status` is the exit status of the runner, `seconds` what the run took.
std::string statistics(const comet_machine* machine, const comet_stop& stop, int status, double seconds);

}  // namespace comet::runner
