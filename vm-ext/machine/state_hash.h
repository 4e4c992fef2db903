// Hashes over numbers and bytes, the same on every host: XXH3, 128 bits, big-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "thread_status.h"

namespace comet {

using Hash128 = std::array<std::uint8_t, 16>;

// Takes its input piece by piece; numbers in little-endian order, whatever the host's is.
class StateHash {
 public:
  StateHash();
  void number(std::uint64_t value);
  void bytes(const void* data, std::size_t length);
  Hash128 finish() const;

  static Hash128 of(const void* data, std::size_t length);

 private:
  // XXH3_state_t, of which only the source that hashes needs to know.
  alignas(64) std::array<std::byte, 576> state_;
};

// Whether a program has to do with turns and events: else the state is that of a thread alone.
void hash_schedule(StateHash& hash, const Schedule& schedule);
void hash_status(StateHash& hash, std::uint32_t id, const ThreadStatus& status);

} // namespace comet
