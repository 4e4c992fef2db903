// Hashes over numbers and bytes, the same on every host: XXH3, 128 bits, big-endian.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "little_endian.h"
#include "thread_status.h"

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

// Whether a program has to do with turns and events: else the state is that of a thread alone.
inline void hash_schedule(StateHash& hash, const Schedule& schedule) {
  if (!schedule.begun) return;
  for (const std::uint64_t part : numbers_of(schedule)) hash.number(part);
}
inline void hash_status(StateHash& hash, std::uint32_t id, const ThreadStatus& status) {
  if (status == ThreadStatus{}) return;
  hash.number(id);
  for (const std::uint64_t part : numbers_of(status)) hash.number(part);
}

} // namespace comet
