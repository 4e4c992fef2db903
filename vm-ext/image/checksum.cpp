#include "checksum.h"

// The header's own code, compiled in here: no library to find at run time.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace comet {

uint64_t image_checksum(const uint8_t* bytes, size_t length) { return XXH3_64bits(bytes, length); }

}  // namespace comet
