// What an image is and could do, without running it.
#pragma once

#include <string>

#include "../comet.h"

namespace comet::runner {

struct Verdict {
  int status;        // an ExitStatus, 0 when there is nothing to remark
  std::string text;  // for people, or as JSON
};

// `machine` tells what is granted; it is not loaded. All code is looked at that can be reached from the entry by
// branches, calls and jump tables, in time and memory in proportion to the image's length. Where a jump goes that takes
// its target from a register is not known before it runs; they are counted.
Verdict verify(const comet_image* image, const comet_machine* machine, bool json);

}  // namespace comet::runner
