// The checksum of files: XXH3, 64 bits; of images and objects without a seed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace comet {

uint64_t checksum_of(const uint8_t* bytes, size_t length, uint64_t seed = 0);

}  // namespace comet
