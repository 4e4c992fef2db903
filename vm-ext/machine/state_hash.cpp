#include "state_hash.h"

#include <algorithm>
#include <new>

// The header's own code, compiled in here alone.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace comet {
namespace {

XXH3_state_t* in(unsigned char* place) { return std::launder(reinterpret_cast<XXH3_state_t*>(place)); }

Hash128 canonical(XXH128_hash_t hash) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  Hash128 result;
  std::copy_n(bytes.digest, result.size(), result.begin());
  return result;
}

} // namespace

StateHash::StateHash() {
  static_assert(sizeof(XXH3_state_t) <= sizeof state_ && alignof(XXH3_state_t) <= 64);
  XXH3_128bits_reset(new (state_) XXH3_state_t);
}

void StateHash::bytes(const void* data, std::size_t length) { XXH3_128bits_update(in(state_), data, length); }

Hash128 StateHash::finish() const { return canonical(XXH3_128bits_digest(in(const_cast<unsigned char*>(state_)))); }

Hash128 StateHash::of(const void* data, std::size_t length) { return canonical(XXH3_128bits(data, length)); }

} // namespace comet
