#include "state_hash.h"

#include <algorithm>
#include <type_traits>

// The header's own code, compiled in here: no library to find at run time.
#define XXH_INLINE_ALL
#define XXH_NO_INLINE_HINTS 1 // smaller by a third, and as fast
#include <xxhash.h>

#include "little_endian.h"

namespace comet {
namespace {

template <class State> auto* xxh3(State& state) {
  static_assert(sizeof(XXH3_state_t) == sizeof state && alignof(XXH3_state_t) == alignof(StateHash));
  using Own = std::conditional_t<std::is_const_v<State>, const XXH3_state_t, XXH3_state_t>;
  return reinterpret_cast<Own*>(state.data());
}

} // namespace

StateHash::StateHash() { XXH3_128bits_reset(xxh3(state_)); }

void StateHash::number(std::uint64_t value) {
  value = swap_on_big_endian(value);
  bytes(&value, sizeof value);
}

void StateHash::bytes(const void* data, std::size_t length) { XXH3_128bits_update(xxh3(state_), data, length); }

Hash128 StateHash::finish() const {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(xxh3(state_)));
  Hash128 result;
  std::copy_n(bytes.digest, result.size(), result.begin());
  return result;
}

Hash128 StateHash::of(const void* data, std::size_t length) {
  StateHash hash;
  hash.bytes(data, length);
  return hash.finish();
}

void hash_schedule(StateHash& hash, const Schedule& schedule) {
  if (!schedule.begun) return;
  for (const std::uint64_t part : numbers_of(schedule)) hash.number(part);
}

void hash_status(StateHash& hash, std::uint32_t id, const ThreadStatus& status) {
  if (status == ThreadStatus{}) return;
  hash.number(id);
  for (const std::uint64_t part : numbers_of(status)) hash.number(part);
}

} // namespace comet
