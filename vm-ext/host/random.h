// The generator behind the host call `random`: xoshiro256** by Blackman and Vigna (public domain,
// https://prng.di.unimi.it), its 256 bits of state filled by SplitMix64 from the seed, as its authors
// advise. The same seed gives the same bytes on every host. Not for cryptography.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace comet {

class Random {
 public:
  using State = std::array<uint64_t, 4>;

  Random() = default;
  // Goes on where another was; nothing for one that was never seeded.
  explicit Random(const std::optional<State>& state) : state_(state.value_or(State{})), seeded_(state.has_value()) {}
  std::optional<State> state() const { return seeded_ ? std::optional(state_) : std::nullopt; }
  bool operator==(const Random&) const = default;

  void seed(uint64_t seed);

  // The next 64 bits. A generator that was never seeded draws a seed from the operating system first.
  uint64_t next();

  // Fills a buffer with the numbers' bytes, little-endian. Each call begins with a new number: what is
  // left of the last one is dropped.
  void fill(uint8_t* bytes, size_t length);

 private:
  State state_{};
  bool seeded_ = false;
};

}  // namespace comet
