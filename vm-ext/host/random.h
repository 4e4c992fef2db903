// The generator behind the host call `random`: xoshiro256** by Blackman and Vigna (public domain,
// https://prng.di.unimi.it), its 256 bits of state filled by SplitMix64 from the seed, as its authors
// advise. The same seed gives the same bytes on every host. Not for cryptography.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace comet {

class Random {
 public:
  void seed(uint64_t seed);

  // The next 64 bits. A generator that was never seeded draws a seed from the operating system first.
  uint64_t next();

  // Fills a buffer with the numbers' bytes, little-endian. Each call begins with a new number: what is
  // left of the last one is dropped.
  void fill(uint8_t* bytes, size_t length);

 private:
  std::array<uint64_t, 4> state_{};
  bool seeded_ = false;
};

}  // namespace comet
