// What a run took, for programs that read it.
#pragma once

#include <string>

#include "../comet.h"
#include "confine.h"

namespace comet::runner {

struct Outcome {
  int status;  // of the runner
  double seconds;
  uint64_t fuel;
  Fences fences;
};

// A JSON object on several lines.
std::string statistics(const comet_machine* machine, const comet_stop& stop, const Outcome& outcome);

}  // namespace comet::runner
