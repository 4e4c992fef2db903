// Hashes over numbers and bytes, the same on every host: XXH3, 128 bits, big-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "little_endian.h"

namespace comet {

using Hash128 = std::array<std::uint8_t, 16>;

// Takes its input piece by piece; numbers in little-endian order, whatever the host's is.
class StateHash {
 public:
  StateHash();
  void number(std::uint64_t value) {
    value = swap_on_big_endian(value);
    bytes(&value, sizeof value);
  }
  void bytes(const void* data, std::size_t length);
  Hash128 finish() const;

  static Hash128 of(const void* data, std::size_t length);

 private:
  alignas(64) unsigned char state_[576]; // an XXH3_state_t
};

} // namespace comet
