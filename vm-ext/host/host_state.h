// What the standard host calls of one machine need of the host: streams, arguments, files, randomness; and what
// they tell the machine beyond their result.
//
// The machine owns one HostState and one HostTable, and implements the functions at the end of this file.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../comet.h"
#include "files.h"
#include "random.h"

namespace comet {

struct HostState {
  static constexpr size_t buffer_length = 65536;

  std::array<int, 3> streams{0, 1, 2};  // descriptors, COMET_STREAM_NONE or COMET_STREAM_EMBEDDER
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=VALUE
  Files files;                           // that a fork shares, as after fork(2)
  Random random;

  // Set by `exit`, which then returns COMET_OK: the machine halts with it instead of going on.
  std::optional<int64_t> exit_status;

  // Set by `read` and `write` when they gave up waiting, before any byte was moved, because
  // host_stop_requested said so. The machine clears it, takes the hcall as not executed and stops with
  // COMET_INTERRUPTED; running on executes the hcall again.
  bool interrupted = false;

  uint64_t output_left = COMET_UNLIMITED;  // bytes that `write` may still give to descriptors
  uint64_t output_bytes = 0;               // that it gave
  bool stop_for_memory = false;            // `map` beyond the limit stops the run

  // Set by a call that did nothing because it would pass a limit. The machine clears it, takes the hcall as not
  // executed and stops with COMET_LIMIT.
  comet_limit limit = COMET_LIMIT_NONE;

  std::unique_ptr<uint8_t[]> buffer;  // buffer_length bytes once `read` was used
};

// Implemented by the machine.
HostState& host_state(comet_machine* machine);
// Whether a name was granted to the machine.
bool host_granted(const comet_machine* machine, const char* name);
// Fails with COMET_ERROR_STATE while a run of the machine is under way.
void host_require_no_run(const comet_machine* machine, const char* what);
// Whether a run of the machine has to stop: comet_interrupt was called, the deadline has passed, or the
// poll function says so. Host calls that wait ask for it every few milliseconds.
bool host_stop_requested(comet_machine* machine);
// Whether the machine's memory limit leaves room for so many bytes more, in whole pages.
bool host_memory_left(const comet_machine* machine, uint64_t length);
// COMET_OK when the guest may access (COMET_READ or COMET_WRITE) every byte of the range; else
// COMET_ERROR_ADDRESS, noted in the call as comet_call_read and comet_call_write do. Copies nothing.
comet_status host_check(comet_call* call, uint64_t address, uint64_t length, int access);

}  // namespace comet
