// The checksum of image files: XXH3, 64 bits, no seed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace comet {

uint64_t image_checksum(const uint8_t* bytes, size_t length);

}  // namespace comet
