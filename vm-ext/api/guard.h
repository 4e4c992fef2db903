// How errors cross the C boundary.
//
// Inside the library a function that cannot do its work calls `fail`, which throws a Failure. Every
// function of comet.h runs its body in `guard`, which turns what was thrown into a status value and a
// filled comet_error; nothing thrown gets past it. `give` fills the structs that a caller receives,
// whose `size` may be that of an older library.
#pragma once

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>

#include "../comet.h"

namespace comet {

// What went wrong. It owns no memory, so that it can be thrown when there is none left.
struct Failure {
  comet_status status;
  uint64_t address;  // guest address or offset into a file, where the message speaks of one; else 0
  char message[COMET_MESSAGE_LENGTH];
};

// Takes a character that was cut off away from the end of a text that did not fit.
inline void end_with_whole_character(char* text, size_t length) {
  while (length > 0 && (text[length - 1] & 0xc0) == 0x80) --length;
  if (length > 0 && (text[length - 1] & 0xc0) == 0xc0) --length;
  text[length] = 0;
}

// Throws a Failure with a message made as by printf: what, where, why, what to do.
[[noreturn, gnu::format(printf, 3, 4)]] inline void fail(comet_status status, uint64_t address,
                                                         const char* format, ...) {
  Failure failure{status, address, {}};
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(failure.message, sizeof failure.message, format, arguments);
  va_end(arguments);
  constexpr size_t most = sizeof failure.message - 1;
  if (length > static_cast<int>(most)) end_with_whole_character(failure.message, most);
  // A name that somebody chose may be in it; a message is one line all the same, and no terminal obeys it.
  for (char& character : failure.message) {
    if ((character > 0 && character < ' ') || character == 0x7f) character = '?';
  }
  throw failure;
}

// Fills as much of *error as its size says the caller has room for; returns the status.
inline comet_status report(comet_error* error, comet_status status, uint64_t address,
                           const char* message) noexcept {
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

// Runs the body of a function of the C API. A caller's *error is touched only when the body fails.
template <class Body>
comet_status guard(comet_error* error, Body&& body) noexcept {
  try {
    body();
    return COMET_OK;
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

// Fails when a pointer that must not be NULL is.
inline void require(const void* pointer, const char* what) {
  if (pointer == nullptr) fail(COMET_ERROR_ARGUMENT, 0, "%s is NULL; pass a valid pointer", what);
}

// Fails when the size that a caller gave its struct is that of none.
inline void require_size(size_t size, const char* what) {
  if (size < sizeof(size_t)) {
    fail(COMET_ERROR_ARGUMENT, 0,
         "%s has size %zu; set its size to sizeof the struct before the call (the COMET_..._INIT macros do)",
         what, size);
  }
}

// Copies a struct that begins with `size` into the caller's, as far as the caller's goes.
template <class Struct>
void give(Struct* destination, Struct value, const char* what) {
  require(destination, what);
  require_size(destination->size, what);
  value.size = destination->size;
  std::memcpy(static_cast<void*>(destination), &value, std::min(destination->size, sizeof value));
}

}  // namespace comet
