// Hashes over numbers and bytes, the same on every host: XXH3, 128 bits, big-endian.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "little_endian.h"

namespace comet {

using Hash128 = std::array<std::uint8_t, 16>;

// Takes its input piece by piece; numbers in little-endian order, whatever the host's is.
class StateHash {
 public:
  StateHash() { XXH3_128bits_reset(&state_); }
  void number(std::uint64_t value) {
    value = swap_on_big_endian(value);
    bytes(&value, sizeof value);
  }
  void bytes(const void* data, std::size_t length) { XXH3_128bits_update(&state_, data, length); }
  Hash128 finish() const { return canonical(XXH3_128bits_digest(&state_)); }

  static Hash128 of(const void* data, std::size_t length) { return canonical(XXH3_128bits(data, length)); }

 private:
  static Hash128 canonical(XXH128_hash_t hash) {
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, hash);
    Hash128 result;
    std::copy_n(bytes.digest, result.size(), result.begin());
    return result;
  }
  XXH3_state_t state_;
};

} // namespace comet
