// Atomic accesses to guest memory, at addresses of the host that are multiples of their size.
#pragma once

#include "little_endian.h"

namespace comet {

template <class T> [[gnu::always_inline]] inline T load_atomically(const void* bytes) {
  return swap_on_big_endian(__atomic_load_n(static_cast<const T*>(bytes), __ATOMIC_SEQ_CST));
}

template <class T> [[gnu::always_inline]] inline void store_atomically(void* bytes, T value) {
  __atomic_store_n(static_cast<T*>(bytes), swap_on_big_endian(value), __ATOMIC_SEQ_CST);
}

// `change` gets the old value and gives the new one; it may be asked more than once. Gives the old value.
template <class T, class Change> [[gnu::always_inline]] inline T change_atomically(void* bytes, Change change) {
  auto* const place = static_cast<T*>(bytes);
  T seen = __atomic_load_n(place, __ATOMIC_RELAXED);
  T wanted;
  do {
    wanted = swap_on_big_endian(static_cast<T>(change(swap_on_big_endian(seen))));
  } while (!__atomic_compare_exchange_n(place, &seen, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  return swap_on_big_endian(seen);
}

} // namespace comet
