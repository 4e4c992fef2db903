// What all standard host calls share: their errors, their results, the state they work on.
#pragma once

#include <cstdint>

#include "host_state.h"

namespace comet {

// Results of calls that fail. The numbers are those that Linux gives the same errors, so that they look
// familiar; they are the same on every host.
inline constexpr int64_t error_not_permitted = -1;
inline constexpr int64_t error_not_found = -2;
inline constexpr int64_t error_input_output = -5;
inline constexpr int64_t error_bad_stream = -9;
inline constexpr int64_t error_no_memory = -12;
inline constexpr int64_t error_access = -13;
inline constexpr int64_t error_busy = -16;
inline constexpr int64_t error_exists = -17;
inline constexpr int64_t error_other_device = -18;
inline constexpr int64_t error_not_directory = -20;
inline constexpr int64_t error_is_directory = -21;
inline constexpr int64_t error_bad_argument = -22;
inline constexpr int64_t error_too_many_files = -24;
inline constexpr int64_t error_too_large = -27;
inline constexpr int64_t error_no_space = -28;
inline constexpr int64_t error_cannot_seek = -29;
inline constexpr int64_t error_read_only = -30;
inline constexpr int64_t error_closed = -32;
inline constexpr int64_t error_long_name = -36;
inline constexpr int64_t error_not_empty = -39;
inline constexpr int64_t error_too_many_links = -40;

// What a failed system call gives the guest.
int64_t error_of(int system_error);

// Whether what failed has only to be tried once more.
bool again(int error);

inline HostState& state_of(comet_call* call) { return host_state(comet_call_machine(call)); }

inline comet_status result(comet_call* call, int64_t value) {
  comet_call_result(call, static_cast<uint64_t>(value));
  return COMET_OK;
}

// COMET_OK after noting that a call gave up waiting: see HostState::interrupted.
inline comet_status interrupted(comet_call* call) {
  state_of(call).interrupted = true;
  return COMET_OK;
}

}  // namespace comet
