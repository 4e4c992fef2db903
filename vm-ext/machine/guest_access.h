// Loads and stores of the program's, in the fast loop.
//
// Threads of the parallel scheduler may race for the same bytes. What a load gives then is the program's own affair: any
// value does, since nothing here is looked at twice, and no address follows from it that is not checked first. So plain
// accesses do, which on the hosts that matter are single ones and do not tear where they are aligned, and
// ThreadSanitizer is told to pass over them.
#pragma once

#include "little_endian.h"

#if defined(__SANITIZE_THREAD__)
#define COMET_UNWATCHED [[gnu::noinline, gnu::no_sanitize("thread")]]
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COMET_UNWATCHED [[gnu::noinline, gnu::no_sanitize("thread")]]
#endif
#endif
#ifndef COMET_UNWATCHED
#define COMET_UNWATCHED inline
#endif

namespace comet {

template <class T> COMET_UNWATCHED T load_guest(const std::uint8_t* bytes) {
  T value;
  __builtin_memcpy(&value, bytes, sizeof value);
  return swap_on_big_endian(value);
}

template <class T> COMET_UNWATCHED void store_guest(std::uint8_t* bytes, T value) {
  value = swap_on_big_endian(value);
  __builtin_memcpy(bytes, &value, sizeof value);
}

} // namespace comet
