#include "text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace comet {
namespace {

// The length of the character at the beginning of `text` if it is well-formed UTF-8 and no control
// character, else 0.
size_t printable_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;

  size_t length = 0;
  uint32_t smallest = 0;
  uint32_t character = 0;
  if ((first & 0xe0) == 0xc0) {
    length = 2, smallest = 0xa0, character = first & 0x1fu;  // 0x80 to 0x9f are control characters
  } else if ((first & 0xf0) == 0xe0) {
    length = 3, smallest = 0x800, character = first & 0x0fu;
  } else if ((first & 0xf8) == 0xf0) {
    length = 4, smallest = 0x10000, character = first & 0x07u;
  } else {
    return 0;
  }
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    character = (character << 6) | (byte(i) & 0x3fu);
  }
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  return character < smallest || character > 0x10ffff || surrogate ? 0 : length;
}

}  // namespace

bool valid_name(std::string_view name) {
  if (name.empty() || name.size() > 65535) return false;
  while (!name.empty()) {
    const size_t length = printable_character(name);
    if (length == 0) return false;
    name.remove_prefix(length);
  }
  return true;
}

Quoted quoted(std::string_view name) {
  static constexpr char digits[] = "0123456789abcdef";
  Quoted result;
  char* end = result.text;
  *end++ = '"';
  while (!name.empty()) {
    if (end - result.text > 60) {
      end = std::fill_n(end, 3, '.');
      break;
    }
    const size_t length = printable_character(name);
    if (length == 0) {
      const uint8_t byte = static_cast<uint8_t>(name.front());
      for (const char character : {'\\', 'x', digits[byte >> 4], digits[byte & 15]}) *end++ = character;
      name.remove_prefix(1);
    } else {
      end = std::copy_n(name.data(), length, end);
      name.remove_prefix(length);
    }
  }
  *end++ = '"';
  *end = 0;
  return result;
}

}  // namespace comet
