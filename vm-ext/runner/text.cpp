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
