// Guest memory is little-endian and unaligned.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace comet {

template <class T> T swap_on_big_endian(T value) {
  if constexpr (std::endian::native == std::endian::little || sizeof(T) == 1) return value;
  else if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  else if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  else return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
}

template <class T> T load_little(const void* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return swap_on_big_endian(value);
}

template <class T> void store_little(void* bytes, T value) {
  value = swap_on_big_endian(value);
  std::memcpy(bytes, &value, sizeof value);
}

} // namespace comet
