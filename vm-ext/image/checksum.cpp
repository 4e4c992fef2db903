#include "checksum.h"

// The header's own code, compiled in here: no library to find at run time.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace comet {

uint64_t checksum_of(const uint8_t* bytes, size_t length, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, length, seed);
}

}  // namespace comet
