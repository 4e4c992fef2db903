// The checksum of files: XXH3, 64 bits; that of images has no seed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace comet {

uint64_t image_checksum(const uint8_t* bytes, size_t length, uint64_t seed = 0);

}  // namespace comet
