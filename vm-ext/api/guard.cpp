#include "guard.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>

namespace comet {

void end_with_whole_character(char* text, size_t length) {
  while (length > 0 && (text[length - 1] & 0xc0) == 0x80) --length;
  if (length > 0 && (text[length - 1] & 0xc0) == 0xc0) --length;
  text[length] = 0;
}

void make_visible(char* text) {
  char before = 0;
  for (char* at = text; *at != 0; before = *at++) {
    const auto byte = static_cast<unsigned char>(*at);
    // In UTF-8 those from 0x80 to 0x9f take two bytes.
    const bool wide = before == '\xc2' && byte >= 0x80 && byte <= 0x9f;
    if (wide) at[-1] = '?';
    if (wide || byte < ' ' || byte == 0x7f) *at = '?';
  }
}

void fail(comet_status status, uint64_t address, const char* format, ...) {
  Failure failure{status, address, {}};
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(failure.message, sizeof failure.message, format, arguments);
  va_end(arguments);
  constexpr size_t most = sizeof failure.message - 1;
  if (length > static_cast<int>(most)) end_with_whole_character(failure.message, most);
  make_visible(failure.message);  // a name that somebody chose may be in it
  throw failure;
}

comet_status report(comet_error* error, comet_status status, uint64_t address, const char* message) noexcept {
  if (error == nullptr) return status;
  comet_error filled{error->size, status, address, {}};
  std::snprintf(filled.message, sizeof filled.message, "%s", message);
  const size_t room = std::min(error->size, sizeof filled);
  std::memcpy(static_cast<void*>(error), &filled, room);
  if (room == error->size && room > offsetof(comet_error, message)) {
    reinterpret_cast<char*>(error)[room - 1] = 0;
  }
  return status;
}

comet_status report_thrown(comet_error* error) noexcept {
  try {
    throw;
  } catch (const Failure& failure) {
    return report(error, failure.status, failure.address, failure.message);
  } catch (const std::bad_alloc&) {
    return report(error, COMET_ERROR_MEMORY, 0,
                  "the host has no memory left for this; free some or ask for less");
  } catch (const std::length_error&) {
    return report(error, COMET_ERROR_MEMORY, 0, "this needs more memory than the host can address");
  } catch (const std::exception& exception) {
    return report(error, COMET_ERROR_SYSTEM, 0, exception.what());
  }
}

void require(const void* pointer, const char* what) {
  if (pointer == nullptr) fail(COMET_ERROR_ARGUMENT, 0, "%s is NULL; pass a valid pointer", what);
}

void require_size(size_t size, const char* what) {
  if (size < sizeof(size_t)) {
    fail(COMET_ERROR_ARGUMENT, 0,
         "%s has size %zu; set its size to sizeof the struct before the call (the COMET_..._INIT macros do)",
         what, size);
  }
}

void give(void* destination, const void* value, size_t size, const char* what) {
  require(destination, what);
  size_t room;
  std::memcpy(&room, destination, sizeof room);
  require_size(room, what);
  // The caller's size stays.
  std::memcpy(static_cast<char*>(destination) + sizeof room, static_cast<const char*>(value) + sizeof room,
              std::min(room, size) - sizeof room);
}

}  // namespace comet
