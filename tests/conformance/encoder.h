// Writes instructions as bytes. It shares nothing with the library's own encoder, so that the tests do not
// inherit a mistake from it.
#ifndef COMET_TESTS_CONFORMANCE_ENCODER_H
#define COMET_TESTS_CONFORMANCE_ENCODER_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace conformance {

using bytes = std::vector<std::uint8_t>;

// Appends `value` as ULEB128 of at least `length` bytes: longer than the shortest form where asked.
inline void append_uleb128(bytes& code, std::uint64_t value, std::size_t length = 1) {
  std::size_t written = 0;
  do {
    const std::uint8_t low = value & 0x7f;
    value >>= 7;
    ++written;
    code.push_back(value != 0 || written < length ? low | 0x80 : low);
  } while (value != 0 || written < length);
}

inline std::uint64_t zig_zag(std::uint64_t value) { return value >> 63 ? ~(value << 1) : value << 1; }

inline std::uint64_t reverse_bytes(std::uint64_t value, unsigned count) {
  std::uint64_t result = 0;
  for (unsigned n = 0; n < count; ++n) result |= (value >> (8 * n) & 0xff) << (8 * (count - 1 - n));
  return result;
}

// The number that stands in a field of kind `operand` for a value. Negative values are two's complement.
inline std::uint64_t field_number(char operand, std::uint64_t value) {
  switch (operand) {
    case 'i':
    case 'o':
    case 'p': return zig_zag(value);
    case 'f': return reverse_bytes(value, 8);
    case 'g': return reverse_bytes(value, 4);
    default: return value;
  }
}

}  // namespace conformance

#endif
