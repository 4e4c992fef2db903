// A machine: address spaces and threads, and what stands around them (host calls, snapshots,
// breakpoints). The state, in the sense of snapshots and of the state hash, is spaces, threads and the
// import list.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../comet.h"
#include "../host/host_state.h"
#include "../host/host_table.h"
#include "../memory/address_space.h"
#include "code.h"
#include "event_queue.h"
#include "host_threads.h"
#include "instruction_set.h"
#include "state_hash.h"
#include "thread.h"
#include "timeline.h"

namespace comet {

class Stay;

// A space and what was decoded from it. Shared with the snapshots in which it exists.
struct Space {
  Space(std::uint64_t window_bytes, std::shared_ptr<PageBudget> budget, const HostMemory& from, InstructionSet& instructions)
      : memory(window_bytes, std::move(budget), from), code(memory, instructions) {}
  AddressSpace memory;
  CodeCache code;
};

} // namespace comet

struct comet_snapshot {
  struct SpaceMark {
    comet_space id;
    std::shared_ptr<comet::Space> space;
    comet::AddressSpace::Mark mark;
  };
  std::vector<SpaceMark> spaces;
  std::map<comet_thread, comet::ThreadState> threads;
  std::vector<std::string> imports;
  std::shared_ptr<const comet_isa> own_instructions;
  comet::Random random;
  comet::Schedule schedule;
};

namespace comet {

// How a run of a thread begins, which may be one of several that a run of all threads consists of.
struct RunBegin {
  std::uint64_t fuel = 0;            // that is left
  bool first = true;                 // nothing stops before the first instruction
  std::uint64_t count_before = 0;    // what is told of counts has so many more than the thread's own
  std::int64_t work_until_look = 0;  // at requests to stop
  bool brief = false;                // the turn ends where the fast loop would be entered
};

class Machine {
 public:
  using Spaces = std::map<comet_space, std::shared_ptr<Space>>;
  using Threads = std::map<comet_thread, std::unique_ptr<Thread>>;

  Machine(const comet_config& config, const HostMemory& memory);

  const comet_config& config() const { return config_; }
  const HostMemory& memory() const { return memory_; }
  void reset();
  // Other limits of memory, registers and call depth.
  void set_limits(const comet_config& limits);
  std::uint64_t mapped_bytes() const { return PageBudget::with_tables(budget_->used) << page_bits; }
  bool memory_left(std::uint64_t length) const;
  std::size_t snapshot_count() const { return snapshots_.size(); }
  std::size_t thread_count() const { return threads_.size(); }

  Space& space(comet_space id) const;   // fails for an unknown id
  Thread& thread(comet_thread id) const;
  comet_thread next_thread(comet_thread from) const; // fails when there is none
  comet_space new_space();
  void free_space(comet_space id);
  // Pages of a space that another space has as well, at `at`: see comet_share.
  void share(comet_space id, std::uint64_t address, std::uint64_t length, comet_space with, std::uint64_t at, std::uint8_t protection);
  // Pages that are one and the same, by the first of each: at least two in a group, of different spaces.
  struct PagePlace {
    comet_space space;
    std::uint64_t page;
    bool operator==(const PagePlace&) const = default;
  };
  using JoinedPages = std::vector<std::vector<PagePlace>>;
  JoinedPages joined_pages() const;
  comet_thread new_thread(comet_space space, std::uint64_t pc);
  void free_thread(comet_thread id);

  // `observation`: what to tell of, see comet_observe; null: nothing.
  void run(comet_thread id, std::uint64_t fuel, comet_stop& stop, comet_observation* observation = nullptr);

  // ---- turns and waiting: schedule.cpp
  // Threads and spaces have numbers up to this one.
  static constexpr comet_thread highest_thread = UINT32_MAX / 2;
  // Of all threads that there are or were.
  std::uint64_t instruction_count() const;
  const Schedule& schedule() const { return schedule_; }
  void set_schedule(std::uint64_t slice, std::uint64_t seed);
  void set_host_threads(std::uint32_t most);
  // What host calls of the program do. Nothing: there may be no more threads.
  std::optional<comet_thread> spawn(comet_thread by, std::uint64_t function, std::uint64_t argument);
  void end_thread(comet_thread id, std::uint64_t result);
  std::uint64_t bury_thread(comet_thread id); // that has ended; gives its result
  void make_wait(comet_thread id, Wait wait);
  std::uint64_t notify(comet_space space, std::uint64_t address, std::uint64_t most);
  void yield();
  // Whether turns have to be looked at anew before the next instruction; asked once.
  bool take_reschedule() { return std::exchange(reschedule_, false); }
  void reschedule() { reschedule_ = true; }
  bool has_thread(comet_thread id) const { return threads_.find(id) != threads_.end(); }
  // Fails while a run is under way: a host call or the poll function may not take away what it stands on.
  void require_no_run(const char* what) const;
  bool runs() const { return runs_under_way_ != 0; }
  // Drops what was decoded from a space, and every activation's way into it.
  void forget_code(Space& space);
  // Takes a request to stop, if there is one: interrupt, deadline or poll function.
  bool stop_requested();
  // The host call that was left to the embedder.
  bool serves_host_call(comet_space space) const;
  std::uint64_t host_argument(comet_thread id, std::uint64_t n) const;
  void complete_host_call(comet_thread id, std::uint64_t result);
  void fail_host_call(comet_thread id, std::string message);
  // The first thread from an id on that waits; null: there is none.
  const std::pair<const comet_thread, std::unique_ptr<Thread>>* next_waiting(comet_thread from) const;
  // The space of a thread that waits; fails for others.
  Space& waiting_space(comet_thread id) const;

  void set_breakpoint(comet_space space, std::uint64_t address);
  bool clear_breakpoint(comet_space space, std::uint64_t address);
  std::uint32_t set_watchpoint(comet_space space, std::uint64_t address, std::uint64_t length, std::uint8_t access);
  bool clear_watchpoint(std::uint32_t id);

  // Makes these the machine's own instructions.
  void set_own_instructions(std::shared_ptr<const comet_isa> own);
  // How the instruction with an opcode is treated from now on.
  void treat(std::uint64_t opcode, comet_treatment treatment);

  comet_snapshot* take_snapshot();
  void restore_snapshot(const comet_snapshot* snapshot);
  void free_snapshot(const comet_snapshot* snapshot);
  std::uint64_t snapshot_bytes() const;
  std::optional<AddressSpace::Range> next_difference(const comet_snapshot* snapshot, comet_space id, std::uint64_t from) const;
  std::optional<AddressSpace::Range> next_written(const comet_snapshot* snapshot, comet_space id, std::uint64_t from) const;

  Hash128 state_hash() const;

  // The state as values, and another one in its place, all of it or nothing: the room `state` does so. The
  // spaces come from detached_space; `waiting` are the threads whose host call waits for the embedder.
  const Spaces& spaces() const { return spaces_; }
  bool waits(comet_thread id) const { return thread(id).pending_call.has_value(); }
  // It made its call when it was its turn in a run of all threads: the hcall counts in the slice.
  bool asked_in_turn(comet_thread id) const {
    // beyond tests: nobody else has a turn before it is answered
    return asked_in_turn_ == id && schedule_.begun && schedule_.current == id;
  }
  std::map<comet_thread, ThreadState> thread_states() const;
  // A space that is not the machine's yet, and whose pages do not count until it is. Who fills it asks before
  // whether the machine may have so many pages.
  std::shared_ptr<Space> detached_space();
  void require_page_limit(std::uint64_t pages) const;
  void adopt(Spaces spaces, const std::map<comet_thread, ThreadState>& states, std::vector<std::string> imports,
             std::shared_ptr<const comet_isa> own, const Random& random, const Schedule& schedule,
             const std::set<comet_thread>& waiting, std::optional<comet_thread> asked_in_turn);

  // The embedder changed the state. While a host call is under way the change belongs to that call; else
  // it begins another future, and what was recorded of the old one is cut off.
  void note_change(const Change& change, const void* bytes = nullptr, std::optional<comet_thread> of = {});
  // The same for what a log entry cannot hold: threads, spaces, the import list, the pc.
  void note_other_change();
  // Does once more what a host call did. Fails when the machine is not as it was then.
  void apply(const Change& change);

  std::atomic<bool> interrupted = false;
  bool freed = false; // by a callback: it goes when no run is under way any more
  comet_poll poll = nullptr;
  void* poll_data = nullptr;
  comet_log log = nullptr;
  void* log_data = nullptr;
  // Tells the log, if there is one.
  [[gnu::format(printf, 2, 3)]] void tell(const char* format, ...) const;
  std::uint64_t deadline = 0; // of the host's monotonic clock, in nanoseconds; 0: none

  // Whether a thread has a handler for that.
  bool handles(std::uint64_t kind, std::uint64_t id) const;
  std::uint32_t caught_traps = 0; // see comet_catch_traps
  EventQueue events;

  InstructionSet instructions;
  Timeline timeline;
  HostTable host;
  HostState host_state;

 private:
  ThreadState thread_state(const Thread& thread) const;
  static void set_thread_state(Thread& thread, const ThreadState& state);
  Threads make_threads(const std::map<comet_thread, ThreadState>& states, const comet_config& limits) const;
  void become(Spaces spaces, Threads threads, std::vector<std::string> imports, std::shared_ptr<const comet_isa> own,
              const Random& random, const Schedule& schedule);
  void require_own(const comet_snapshot* snapshot) const;
  const comet_snapshot::SpaceMark& mark_of(const comet_snapshot* snapshot, comet_space id) const;
  void release_marks(const comet_snapshot& snapshot);
  void take_leave(comet_space id, Space& space);

  // ---- run.cpp
  void run_slice(comet_thread id, std::uint64_t turn, comet_stop& stop, comet_observation* observation, RunBegin& how);
  void run_thread(comet_thread id, std::uint64_t turn, comet_stop& stop, comet_observation* observation, RunBegin& how);

  // ---- schedule.cpp
  void run_every_thread(std::uint64_t fuel, comet_stop& stop, comet_observation* observation);
  void begin_schedule(comet_thread current);
  std::uint64_t draw_slice();
  void take_from_slice(std::uint64_t executed);
  void count_completed(comet_thread id);
  void pass_turn();
  void settle_turn();
  bool others_runnable() const;

  // ---- parallel.cpp
  void run_in_parallel(std::uint64_t fuel, comet_stop& stop);
  std::vector<comet_thread> choose_threads(comet_thread from, std::size_t most) const;
  void stay_side_by_side(const std::vector<comet_thread>& chosen, std::vector<Stay>& stays, RunBegin& how);

  // ---- events.cpp
  std::uint64_t handler_window(const Thread& thread) const;
  bool has_room_for_handler(const Thread& thread) const;
  bool interruptible(const Thread& thread) const;
  void call_handler(Thread& thread, const Reaction& handler, bool trap, std::initializer_list<std::uint64_t> arguments);
  void end_interruption(Thread& thread);
  bool call_trap_handler(comet_thread id, const comet_stop& stop);
  void call_event_handler(comet_thread id, const Change& event);
  void give_up_waiting(comet_thread id);
  int descriptor_of(const Reaction& handler) const;
  bool may_arrive() const;
  std::uint64_t next_due(std::uint64_t now);
  std::optional<Change> event_for(comet_thread id, std::uint64_t now);
  bool take_arrivals();
  bool await_arrival();

  comet_config config_;
  const HostMemory memory_;
  std::shared_ptr<PageBudget> budget_;
  Spaces spaces_;
  Threads threads_;
  std::map<std::uint32_t, comet_space> watchpoints_;
  std::uint32_t next_watchpoint_ = 1;
  unsigned runs_under_way_ = 0;
  Schedule schedule_;
  std::optional<comet_thread> asked_in_turn_;
  bool reschedule_ = false; // see take_reschedule
  bool yielded_ = false;    // the current thread gives up its turn
  std::list<comet_snapshot> snapshots_;
  bool parallel_ = false; // runs of all threads
  HostThreads host_threads_;
};

// Nanoseconds of the host's monotonic clock.
std::uint64_t monotonic_now();

} // namespace comet

struct comet_machine : comet::Machine {
  using Machine::Machine;
};

// A host call under way.
struct comet_call {
  comet_machine* machine;
  comet_thread thread;
  comet::Space* space;
  std::uint64_t* registers;     // R[base]
  std::uint64_t argument_limit; // registers from R[base] to the end of the register stack
  std::uint64_t result = 0;
  bool has_result = false;
  std::uint64_t denied_address = 0;
  std::uint8_t denied_kind = 0; // protection_read or protection_write; 0: nothing was denied
  std::string message;
};
