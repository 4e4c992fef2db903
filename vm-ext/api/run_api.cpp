// comet.h: running, breakpoints, watchpoints, snapshots, the timeline, the state hash.
#include "../machine/machine.h"
#include "../machine/profile.h"
#include "guard.h"

using namespace comet;

namespace {

// The body runs the machine. Where a callback freed it, it goes now.
template <class Body>
comet_status guard_run(comet_machine* machine, comet_error* error, Body&& body) {
  const comet_status status = guard(error, body);
  if (machine == nullptr || !machine->freed || machine->runs()) return status;
  delete machine;
  return report(error, COMET_ERROR_STATE, 0, "the machine was freed while it ran, so the run ended and the machine is gone");
}

// A run that counts in a profile, which may be null.
class CountingRun {
 public:
  explicit CountingRun(comet_profile* profile) : profile_(profile) {
    if (profile_ != nullptr) ++profile_->runs;
  }
  ~CountingRun() {
    // beyond tests: `delete` asks whether it is null once more
    if (profile_ != nullptr && --profile_->runs == 0 && profile_->freed) delete profile_;
  }
  CountingRun(const CountingRun&) = delete;
  CountingRun& operator=(const CountingRun&) = delete;

 private:
  comet_profile* const profile_;
};

} // namespace

const char* comet_reason_name(comet_reason reason) {
  switch (reason) {
    case COMET_HALTED: return "halted";
    case COMET_OUT_OF_FUEL: return "out of fuel";
    case COMET_TRAP: return "trap";
    case COMET_BREAKPOINT: return "breakpoint";
    case COMET_WATCHPOINT: return "watchpoint";
    case COMET_HOST_CALL: return "host call";
    case COMET_INTERRUPTED: return "interrupted";
    case COMET_OBSERVED: return "observed";
    case COMET_TRACED: return "traced instruction";
    case COMET_WAITING: return "waiting";
    case COMET_LIMIT: return "limit";
  }
  return "unknown reason";
}

const char* comet_trap_name(comet_trap trap) {
  switch (trap) {
    case COMET_TRAP_NONE: return "no trap";
    case COMET_TRAP_BRK: return "brk";
    case COMET_TRAP_ILLEGAL: return "illegal instruction";
    case COMET_TRAP_READ: return "bad read";
    case COMET_TRAP_WRITE: return "bad write";
    case COMET_TRAP_EXECUTE: return "bad execution";
    case COMET_TRAP_MISALIGNED: return "misaligned atomic";
    case COMET_TRAP_DIVIDE: return "division by zero";
    case COMET_TRAP_OVERFLOW: return "integer overflow";
    case COMET_TRAP_INVALID: return "invalid conversion";
    case COMET_TRAP_CALL_DEPTH: return "call depth";
    case COMET_TRAP_WINDOW: return "window overflow";
    case COMET_TRAP_HOST_CALL: return "host call";
    case COMET_TRAP_USER: return "user trap";
  }
  return "unknown trap";
}

comet_status comet_run(comet_machine* machine, comet_thread thread, uint64_t fuel, comet_stop* stop,
                       comet_error* error) {
  return guard_run(machine, error, [&] {
    require(machine, "machine");
    require(stop, "stop");
    require_size(stop->size, "stop"); // a run cannot be taken back
    comet_stop value = COMET_STOP_INIT;
    machine->run(thread, fuel, value);
    give(stop, value, "stop");
  });
}

comet_status comet_observe(comet_machine* machine, comet_thread thread, uint64_t fuel,
                           comet_observation* observation, comet_stop* stop, comet_error* error) {
  return guard_run(machine, error, [&] {
    require(machine, "machine");
    require(stop, "stop");
    require_size(stop->size, "stop");
    require(observation, "observation");
    if (observation->size != sizeof *observation)
      fail(COMET_ERROR_ARGUMENT, 0, "observation has size %zu instead of %zu; COMET_OBSERVATION_INIT sets it",
           observation->size, sizeof *observation);
    if (observation->filter_count != 0) require(observation->filters, "observation.filters");
    if (observation->capacity != 0) require(observation->events, "observation.events");
    if (observation->counts_length != 0) require(observation->counts, "observation.counts");
    for (size_t i = 0; i < observation->filter_count; ++i)
      if (observation->filters[i].first > observation->filters[i].last)
        fail(COMET_ERROR_ARGUMENT, observation->filters[i].first, "filter %zu ends before it begins", i);
    if (observation->profile != nullptr && observation->profile_weight == 0)
      fail(COMET_ERROR_ARGUMENT, 0, "observation.profile_weight is 0; each instruction stands for one at least");
    comet_stop value = COMET_STOP_INIT;
    const CountingRun counting(observation->profile);
    machine->run(thread, fuel, value, observation);
    give(stop, value, "stop");
  });
}

comet_status comet_schedule_get(const comet_machine* machine, comet_schedule* schedule, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    const Schedule& is = machine->schedule();
    give(schedule, comet_schedule{sizeof(comet_schedule), is.slice, is.seed, is.current, is.slice_left, machine->instruction_count()},
         "schedule");
  });
}

comet_status comet_schedule_set(comet_machine* machine, uint64_t slice, uint64_t seed, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (slice == 0 || slice > longest_slice)
      fail(COMET_ERROR_ARGUMENT, 0, "a slice of %llu instructions is not possible; it is from 1 to 2^32",
           static_cast<unsigned long long>(slice));
    machine->set_schedule(slice, seed);
    machine->note_other_change();
  });
}

comet_status comet_set_host_threads(comet_machine* machine, uint32_t most, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    machine->set_host_threads(most);
  });
}

void comet_catch_traps(comet_machine* machine, uint32_t traps) {
  if (machine != nullptr) machine->caught_traps = traps;
}

comet_status comet_post_event(comet_machine* machine, uint64_t kind, uint64_t id, uint64_t value) {
  if (machine == nullptr || (kind != COMET_ON_SIGNAL && kind != COMET_ON_POSTED)) return COMET_ERROR_ARGUMENT;
  return machine->events.post({kind, id, value}) ? COMET_OK : COMET_ERROR_STATE;
}

comet_status comet_event_handled(const comet_machine* machine, uint64_t kind, uint64_t id, int* handled, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(handled, "handled");
    *handled = machine->handles(kind, id) ? 1 : 0;
  });
}

void comet_interrupt(comet_machine* machine) {
  if (machine != nullptr) machine->interrupted.store(true, std::memory_order_relaxed);
}

void comet_set_poll(comet_machine* machine, comet_poll poll, void* data) {
  if (machine == nullptr) return;
  machine->poll = poll;
  machine->poll_data = data;
}

void comet_set_deadline(comet_machine* machine, uint64_t nanoseconds) {
  if (machine == nullptr) return;
  const uint64_t now = monotonic_now();
  machine->deadline = nanoseconds == 0 ? 0 : now + nanoseconds < now ? UINT64_MAX : now + nanoseconds;
}

comet_status comet_breakpoint_set(comet_machine* machine, comet_space space, uint64_t address, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    machine->set_breakpoint(space, address);
  });
}

comet_status comet_breakpoint_clear(comet_machine* machine, comet_space space, uint64_t address,
                                    comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (!machine->clear_breakpoint(space, address))
      fail(COMET_ERROR_ADDRESS, address, "there is no breakpoint at 0x%llx", static_cast<unsigned long long>(address));
  });
}

comet_status comet_watchpoint_set(comet_machine* machine, comet_space space, uint64_t address, uint64_t length,
                                  int access, uint32_t* id, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(id, "id");
    if (access == 0 || (access & ~(COMET_READ | COMET_WRITE)) != 0)
      fail(COMET_ERROR_ARGUMENT, 0, "access %d is not COMET_READ, COMET_WRITE or both", access);
    if (length == 0 || address + (length - 1) < address)
      fail(COMET_ERROR_ARGUMENT, address, "a watched range has at least one byte and does not wrap around");
    *id = machine->set_watchpoint(space, address, length, static_cast<std::uint8_t>(access));
  });
}

comet_status comet_watchpoint_clear(comet_machine* machine, uint32_t id, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (!machine->clear_watchpoint(id)) fail(COMET_ERROR_ARGUMENT, 0, "there is no watchpoint %u", id);
  });
}

comet_status comet_snapshot_take(comet_machine* machine, comet_snapshot** snapshot, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(snapshot, "snapshot");
    *snapshot = machine->take_snapshot();
  });
}

comet_status comet_snapshot_restore(comet_machine* machine, comet_snapshot* snapshot, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(snapshot, "snapshot");
    machine->restore_snapshot(snapshot);
  });
}

void comet_snapshot_free(comet_machine* machine, comet_snapshot* snapshot) {
  if (machine != nullptr && snapshot != nullptr) machine->free_snapshot(snapshot);
}

uint64_t comet_snapshot_bytes(const comet_machine* machine) {
  return machine == nullptr ? 0 : machine->snapshot_bytes();
}

namespace {

// What a question of the machine about its memory since a snapshot is answered with: the next range, or none.
template <class Question>
comet_status next_range(Question question, const comet_machine* machine, const comet_snapshot* snapshot, comet_space space,
                        uint64_t from, uint64_t* address, uint64_t* length, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(snapshot, "snapshot");
    require(address, "address");
    require(length, "length");
    // beyond tests: a pointer to a member could be one to a virtual function
    const auto range = (machine->*question)(snapshot, space, from);
    *address = range ? range->address : 0;
    *length = range ? range->length : 0;
  });
}

} // namespace

comet_status comet_snapshot_difference(const comet_machine* machine, const comet_snapshot* snapshot, comet_space space,
                                       uint64_t from, uint64_t* address, uint64_t* length, comet_error* error) {
  return next_range(&Machine::next_difference, machine, snapshot, space, from, address, length, error);
}

comet_status comet_snapshot_written(const comet_machine* machine, const comet_snapshot* snapshot, comet_space space,
                                    uint64_t from, uint64_t* address, uint64_t* length, comet_error* error) {
  return next_range(&Machine::next_written, machine, snapshot, space, from, address, length, error);
}

comet_status comet_timeline_start(comet_machine* machine, uint64_t byte_limit, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    machine->timeline.start(byte_limit);
  });
}

void comet_timeline_stop(comet_machine* machine) {
  if (machine != nullptr) machine->timeline.stop();
}

comet_status comet_timeline_keep(comet_machine* machine, uint32_t* id, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(id, "id");
    *id = machine->timeline.keep();
  });
}

comet_status comet_timeline_resume(comet_machine* machine, uint32_t id, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (!machine->timeline.resume(id)) fail(COMET_ERROR_ARGUMENT, 0, "no log %u is kept", id);
  });
}

comet_status comet_timeline_drop(comet_machine* machine, uint32_t id, comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (!machine->timeline.drop(id)) fail(COMET_ERROR_ARGUMENT, 0, "no log %u is kept that could be dropped", id);
  });
}

comet_status comet_timeline_get(const comet_machine* machine, comet_thread thread, comet_timeline_info* info,
                                comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    if (thread != COMET_EVERY_THREAD) machine->thread(thread);
    const Timeline& timeline = machine->timeline;
    comet_timeline_info value = COMET_TIMELINE_INFO_INIT;
    value.recording = timeline.recording() ? 1 : 0;
    value.entries = timeline.entries();
    value.bytes = timeline.bytes();
    value.changes = timeline.changes();
    value.begin = timeline.begin(thread);
    value.end = timeline.end(thread);
    give(info, value, "info");
  });
}

comet_status comet_state_hash(const comet_machine* machine, uint8_t hash[16], comet_error* error) {
  return guard(error, [&] {
    require(machine, "machine");
    require(hash, "hash");
    const Hash128 found = machine->state_hash();
    std::copy(found.begin(), found.end(), hash);
  });
}
