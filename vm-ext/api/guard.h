// How errors cross the C boundary.
//
// Inside the library a function that cannot do its work calls `fail`, which throws a Failure. Every
// function of comet.h runs its body in `guard`, which turns what was thrown into a status value and a
// filled comet_error; nothing thrown gets past it. `give` fills the structs that a caller receives,
// whose `size` may be that of an older library.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../comet.h"

namespace comet {

// What went wrong. It owns no memory, so that it can be thrown when there is none left.
struct Failure {
  comet_status status;
  uint64_t address;  // guest address or offset into a file, where the message speaks of one; else 0
  char message[COMET_MESSAGE_LENGTH];
};

// Takes a character that was cut off away from the end of a text that did not fit.
void end_with_whole_character(char* text, size_t length);

// Has `?` in the place of control characters: a message is one line, and no terminal obeys it.
void make_visible(char* text);

// Throws a Failure with a message made as by printf: what, where, why, what to do.
[[noreturn, gnu::cold, gnu::format(printf, 3, 4)]] void fail(comet_status status, uint64_t address,
                                                             const char* format, ...);

// Fills as much of *error as its size says the caller has room for; returns the status.
comet_status report(comet_error* error, comet_status status, uint64_t address, const char* message) noexcept;

// The same for what is being caught.
[[gnu::cold]] comet_status report_thrown(comet_error* error) noexcept;

// Runs the body of a function of the C API. A caller's *error is touched only when the body fails.
template <class Body>
comet_status guard(comet_error* error, Body&& body) noexcept {
  try {
    body();
    return COMET_OK;
  } catch (...) {
    return report_thrown(error);
  }
}

// Fails when a pointer that must not be NULL is.
void require(const void* pointer, const char* what);

// Fails when the size that a caller gave its struct is that of none.
void require_size(size_t size, const char* what);

// Copies a struct that begins with its size into the caller's, as far as the caller's goes.
void give(void* destination, const void* value, size_t size, const char* what);
template <class Struct>
void give(Struct* destination, const Struct& value, const char* what) {
  give(destination, &value, sizeof value, what);
}

}  // namespace comet
