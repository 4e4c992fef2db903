// The code of an image that can be reached from its entry without running it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "../comet.h"

namespace comet::runner {

// The code at `address` would trap: why.
struct BadCode {
  uint64_t address;
  std::string why;
};

struct Reach {
  uint64_t instructions = 0;
  uint64_t indirect = 0;             // jumps and calls whose targets are not known before they run
  std::set<uint64_t> host_calls;     // indices in the import list, of the hcalls that can be reached
  std::vector<BadCode> bad;          // the first few
  uint64_t bad_count = 0;
};

Reach reach(const comet_image* image);

}  // namespace comet::runner
