#include "text.h"

#include <cstdarg>
#include <cstdio>

namespace comet::runner {

std::string text(const char* format, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

std::string visible(std::string_view words) {
  std::string result;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto byte = static_cast<unsigned char>(words[i]), next = static_cast<unsigned char>(i + 1 < words.size() ? words[i + 1] : 0);
    // In UTF-8 those from 0x80 to 0x9f take two bytes.
    const bool wide = byte == 0xc2 && next >= 0x80 && next <= 0x9f;
    result += wide || byte < 0x20 || byte == 0x7f ? '?' : words[i];
    if (wide) ++i;
  }
  return result;
}

std::string json_text(std::string_view words) {
  std::string result = "\"";
  for (const char c : words) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20) result += text("\\u%04x", c);
    else result += c;
  }
  return result + '"';
}

}  // namespace comet::runner
