// How api_calls makes a call of comet.h: with what its members share.
#ifndef COMET_TESTS_FUZZ_API_CALL_H
#define COMET_TESTS_FUZZ_API_CALL_H

#include <algorithm>
#include <cstring>
#include <iostream>
#include <string>

#include "calls.h"

namespace fuzz {

constexpr std::uint64_t most_fuel = 3000;
// A run that waits for what never comes is stopped after so many milliseconds.
constexpr unsigned most_polls = 400;
constexpr std::size_t buffer_length = 4 * COMET_PAGE_SIZE;
constexpr std::uint64_t memory_limit = 32 * COMET_PAGE_SIZE;

// `on`: a machine that a call which fails leaves as it was, NULL where that is not promised.
template <class Call>
comet_status api_calls::call(const char* name, comet_machine* on, Call&& made) {
  ++calls_;
  if (traced_) std::cerr << std::string(2 * depth_, ' ') << name << "\n";
  comet_error error = COMET_ERROR_INIT;
  const bool whole = !random_.one_in(16);
  if (!whole) error.size = random_.below(sizeof error);
  comet_error* const given = random_.one_in(16) ? nullptr : &error;
  const bool compared = on != nullptr && depth_ == 0 && random_.one_in(4);
  const hash before = compared ? hash_of(on) : hash{};
  const comet_status status = made(given);
  if (traced_) std::cerr << std::string(2 * depth_, ' ') << "  " << status << " " << error.message << "\n";
  note(status);
  require(status >= COMET_OK && status <= COMET_ERROR_SYSTEM, name, "the status is one of comet_status");
  if (status == COMET_OK) return status;
  ++refused_;
  if (given != nullptr && whole) {
    require(error.status == status, name, "the error has the status");
    require(std::memchr(error.message, 0, sizeof error.message) != nullptr, name, "the message ends");
    require(error.message[0] != 0 && std::strchr(error.message, '\n') == nullptr, name,
            "the message is a line of text");
  }
  if (compared) require(hash_of(on) == before, name, "nothing is changed when it fails");
  return status;
}

// A call of comet.h, without its last argument. CALL_ON: of a machine, which is left as it was where it
// fails.
#define CALL(function, ...) \
  call(#function, nullptr, [&](comet_error* error) { return function(__VA_ARGS__, error); })
#define CALL_ON(function, machine, ...) \
  call(#function, machine,              \
       [&](comet_error* error) { return function(machine __VA_OPT__(, ) __VA_ARGS__, error); })

template <class Kind>
Kind* api_calls::any_of(const std::vector<Kind*>& list) {
  return list.empty() || random_.one_in(40) ? nullptr : list[random_.below(list.size())];
}

}  // namespace fuzz

#endif
