#include "random.h"

#include <algorithm>
#include <bit>
#include <random>

namespace comet {

void Random::seed(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    word = mixed ^ (mixed >> 31);
  }
  seeded_ = true;
}

uint64_t Random::next() {
  if (!seeded_) {
    // Reads from the operating system's generator, on Linux by getrandom or the like.
    std::random_device device;
    seed((static_cast<uint64_t>(device()) << 32) | device());
  }
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void Random::fill(uint8_t* bytes, size_t length) {
  while (length > 0) {
    uint64_t number = next();
    const size_t count = std::min<size_t>(length, 8);
    for (size_t i = 0; i < count; ++i, number >>= 8) bytes[i] = static_cast<uint8_t>(number);
    bytes += count;
    length -= count;
  }
}

}  // namespace comet
