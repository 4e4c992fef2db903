// A thread: pc, register stack with windows, activations, thread registers, instruction count.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../comet.h"
#include "../memory/address_space.h"
#include "../memory/host_pages.h"
#include "slot.h"
#include "thread_status.h"

namespace comet {

// Register fields of up to 16 bits reach beyond the last window that may begin, so that they need no
// check; the register stack has this much room behind register_limit.
constexpr std::uint64_t register_slack = 65536;

// One call under way. Outside of what guests can reach.
struct Activation {
  const Slot* return_slot;     // where the caller goes on; see CodeCache::resume_slot. Null where the fast loop may not go
                               // back by itself: in the outermost, and where a handler interrupted
  std::uint64_t* window;       // of the caller
  std::uint64_t function;      // the address that was called
  std::uint64_t return_address;// valid when return_slot is the resume slot or null
};

// A thread's state in the terms of the guest: what snapshots keep and the hash covers.
struct ThreadState {
  struct Call {
    std::uint64_t function;
    std::uint64_t return_address; // 0 in the outermost one
    std::uint64_t window;         // of the activation itself, as an index into the register stack
    bool operator==(const Call&) const = default;
  };
  comet_space space;
  std::uint64_t pc;
  std::uint64_t instruction_count;
  std::array<std::uint64_t, COMET_THREAD_REGISTERS> thread_registers;
  std::vector<std::uint64_t> registers; // up to the last that is not 0
  std::vector<Call> calls;              // outermost first
  ThreadStatus status{};
};

// An hcall that was left to the embedder: the thread stands at it.
struct PendingCall {
  std::uint64_t base; // R[base+1] is on the register stack
  std::uint64_t next; // where the thread goes on
  std::uint64_t index; // in the import list
};

struct Thread {
  Thread(const comet_config& config, const HostMemory& memory, comet_space space, std::uint64_t pc);

  void restart(std::uint64_t start);
  // Ends with a result: all but that and the instruction count is gone.
  void end(std::uint64_t result);
  // Whether the handler under way has returned.
  bool handler_returned() const { return !status.interruptions.empty() && depth() < status.interruptions.back().depth; }
  std::uint64_t depth() const { return static_cast<std::uint64_t>(top - activations.data()) + 1; }
  std::uint64_t window_index() const { return static_cast<std::uint64_t>(window - registers.data()); }
  // The window of the activation `level` calls out from the innermost.
  std::uint64_t* window_at(std::uint64_t level) const;
  std::uint64_t register_count() const { return registers.size(); }
  // Register `index` of the activation so many calls out, or null where there is no such activation or register.
  std::uint64_t* register_at(std::uint64_t level, std::uint64_t index) const;
  // One more than the index of the last register that is not 0, for code that names none above `highest`. Looks at what
  // was reached since it was asked last.
  std::uint64_t used_registers(std::uint64_t highest) const;
  // Every window begins at a multiple of it; 0: they all begin at 0.
  std::uint64_t common_window_step() const;

  // A register was written other than by an operand below register_slack.
  void note_written(const std::uint64_t* place) {
    const auto bound = static_cast<std::uint64_t>(place - registers.data()) + 1;
    if (bound > touched) touched = bound;
  }
  // A register written by a host call or from outside.
  void write(std::uint64_t* place, std::uint64_t value) {
    *place = value;
    note_written(place);
  }
  // A window is about to begin at `index`, which is within the limit. The fast loop asks only above
  // window_bound, which goes up in steps, so that what was never reached need not be looked at.
  void raise_window_bound(std::uint64_t index);

  comet_space space;
  std::uint64_t pc;
  std::uint64_t instruction_count = 0;
  std::uint64_t* window;   // R[0] of the innermost activation
  Activation* top;         // the innermost activation; activations[0] is the outermost
  // Behind these there are zeros, and used_registers, which finds how many, lowers them.
  mutable std::uint64_t window_bound = 0; // no window began behind this
  mutable std::uint64_t touched = 0;      // see note_written: nothing was from here on
  static constexpr std::uint64_t nowhere = ~std::uint64_t{0};
  std::uint64_t fuel_ended_at = nowhere; // the pc, if the last run ended for want of fuel
  bool running = false;           // a run of it is under way
  bool step_due = false;          // the parallel scheduler's: the fast loop has left the instruction at the pc to the reference loop
  ThreadStatus status;
  // Of the host's clock, and no part of the state: when it began to wait, and when its timers are due; 0 and none where
  // nobody has looked yet.
  std::uint64_t waits_since = 0;
  std::map<std::uint64_t, std::uint64_t> timers_due;
  std::uint64_t caught = 0;       // one more than the instruction count of the trap that was stopped at last, see comet_catch_traps
  std::optional<PendingCall> pending_call;
  std::optional<std::string> failed_call; // the embedder could not serve the last host call: the next run says so
  std::optional<WatchHit> served_hit; // what serving the last host call touched: the next run stops for it
  std::array<std::uint64_t, COMET_THREAD_REGISTERS> thread_registers{};
  LazyArray<std::uint64_t> registers;
  LazyArray<Activation> activations;
  std::uint64_t register_limit;
  Activation* activations_end; // no activation may stand here
};

} // namespace comet
