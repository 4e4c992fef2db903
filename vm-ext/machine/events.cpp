// What comes from outside between two instructions, and the handlers that a program has for it and for traps.
//
// What comes is looked for in the host where it waits (clock, descriptors, posted events), and taken from there when a
// thread can have it at once. So nothing is under way within the machine, and what was taken is one entry of the log.
#include <poll.h>

#include <algorithm>

#include "../api/guard.h"
#include "../isa/isa.h"
#include "machine.h"

namespace comet {
namespace {

constexpr std::uint64_t timed_out = static_cast<std::uint64_t>(-110);
constexpr int wait_milliseconds = 10;
constexpr std::uint64_t nanoseconds_a_millisecond = 1'000'000;

// What a handler of traps returns.
enum : std::uint64_t { trap_unhandled = 0, trap_retry = 1, trap_skip = 2, trap_go = 3 };

constexpr std::uint64_t later(std::uint64_t time, std::uint64_t nanoseconds) {
  return nanoseconds > UINT64_MAX - time ? UINT64_MAX : time + nanoseconds;
}

const Reaction* find_handler(const Thread& thread, std::uint64_t kind, std::uint64_t id) {
  for (const Reaction& handler : thread.status.handlers)
    if (handler.kind == kind && handler.id == id) return &handler;
  return nullptr;
}

} // namespace

// ---- calling handlers ----------------------------------------------------------------------------------

// The handler's window begins behind all registers that are not 0, so that those behind it can be made 0 again.
std::uint64_t Machine::handler_window(const Thread& thread) const {
  return std::max(thread.window_index(), thread.used_registers(spaces_.at(thread.space)->code.highest_register()));
}

bool Machine::has_room_for_handler(const Thread& thread) const {
  return thread.top + 1 < thread.activations_end && handler_window(thread) <= config_.register_limit;
}

bool Machine::interruptible(const Thread& thread) const {
  // Who serves a host call of the thread counts on its registers.
  return !thread.status.result && !thread.status.answer && !thread.pending_call && thread.status.interruptions.empty() &&
         has_room_for_handler(thread);
}

void Machine::call_handler(Thread& thread, const Reaction& handler, bool trap, std::initializer_list<std::uint64_t> arguments) {
  const std::uint64_t base = handler_window(thread), function = handler.function;
  thread.status.interruptions.push_back({trap, thread.depth() + 1, base, thread.status.answer});
  thread.status.answer.reset();
  Activation* const top = ++thread.top;
  *top = {nullptr, thread.window, function, thread.pc};
  thread.raise_window_bound(base);
  thread.window = thread.registers.data() + base;
  std::uint64_t* place = thread.window;
  for (const std::uint64_t argument : arguments) thread.write(++place, argument);
  thread.pc = function;
}

// The handler under way has returned: what it left in registers goes, and what it was called for goes on.
void Machine::end_interruption(Thread& thread) {
  const Interruption ended = thread.status.interruptions.back();
  thread.status.interruptions.pop_back();
  thread.status.answer = ended.answer;
  const std::uint64_t base = ended.window;
  std::uint64_t* const registers = thread.registers.data();
  const std::uint64_t how = registers[base + 1], where = registers[base + 2];
  const std::uint64_t used = thread.used_registers(spaces_.at(thread.space)->code.highest_register());
  if (used > base) std::fill(registers + base, registers + used, 0);
  if (!ended.trap) return;
  switch (how) {
    case trap_retry: return;
    case trap_go: thread.pc = where; return;
    case trap_skip: {
      const CodeCache::Fetched& fetched = spaces_.at(thread.space)->code.fetch(thread.pc);
      if (fetched.status == isa::DecodeStatus::ok) {
        thread.pc += fetched.decoded.length;
        return;
      }
      break;
    }
    default: break;
  }
  thread.status.declined = thread.instruction_count + 1;
}

// Whether the program's own handler is called for a trap, instead of the run's end.
bool Machine::call_trap_handler(comet_thread id, const comet_stop& stop) {
  Thread& trapped = thread(id);
  const Reaction* const handler = find_handler(trapped, COMET_ON_TRAP, static_cast<std::uint64_t>(stop.trap));
  const auto& interruptions = trapped.status.interruptions;
  if (handler == nullptr || interruptions.full() || (!interruptions.empty() && interruptions.back().trap) || !has_room_for_handler(trapped)) return false;
  const std::uint64_t mark = trapped.instruction_count + 1;
  if (trapped.status.declined == mark || (timeline.recording() && timeline.forgotten(id, trapped.instruction_count))) return false;
  if ((caught_traps >> stop.trap & 1) != 0 && trapped.caught != mark) {
    trapped.caught = mark;
    return false;
  }
  call_handler(trapped, *handler, true,
               {COMET_ON_TRAP, static_cast<std::uint64_t>(stop.trap), stop.address, handler->argument, trapped.pc});
  return true;
}

bool Machine::handles(std::uint64_t kind, std::uint64_t id) const {
  return std::any_of(threads_.begin(), threads_.end(),
                     [&](const auto& entry) { return find_handler(*entry.second, kind, id) != nullptr; });
}

void Machine::call_event_handler(comet_thread id, const Change& event) {
  Thread& called = thread(id);
  const Reaction* const handler = find_handler(called, event.access, event.address);
  // beyond tests: who has such a handler and cannot have the event takes a forged log
  if (handler == nullptr || !interruptible(called)) {
    fail(COMET_ERROR_STATE, 0, "thread %u is not as it was when an event of it was recorded; begin a new timeline", id);
  }
  if (event.access == COMET_ON_TIMER) {
    const auto timer = std::find_if(called.status.timers.begin(), called.status.timers.end(),
                                    [&](const Timer& timer) { return timer.id == event.address; });
    if (timer != called.status.timers.end()) { // beyond tests: what is due without a timer takes a forged log
      timer->nanoseconds = timer->period;
      if (timer->period == 0) called.status.timers.erase(timer);
    }
  }
  if (called.status.wait.what == Wait::For::event) called.status.answer = 0;
  called.status.wait = {};
  call_handler(called, *handler, false, {event.access, event.address, event.value, handler->argument});
}

void Machine::give_up_waiting(comet_thread id) {
  Thread& waiting = thread(id);
  if (waiting.status.wait.nanoseconds == Wait::for_ever)
    fail(COMET_ERROR_STATE, 0, "thread %u does not wait as it did when the end of that was recorded; begin a new timeline", id);
  waiting.status.wait = {};
  waiting.status.answer = timed_out;
}

// ---- what comes from outside ---------------------------------------------------------------------------

int Machine::descriptor_of(const Reaction& handler) const {
  const bool stream = handler.kind == COMET_ON_READABLE || handler.kind == COMET_ON_WRITABLE;
  return stream ? host_state.streams[static_cast<std::size_t>(handler.id)] : COMET_STREAM_NONE;
}

bool Machine::may_arrive() const {
  for (const auto& [id, thread] : threads_) {
    const ThreadStatus& status = thread->status;
    if (status.wait.nanoseconds != Wait::for_ever && host.granted("clock")) return true;
    if (status.handlers.empty() || !status.interruptions.empty() || status.answer) continue;
    for (const Reaction& handler : status.handlers) {
      if (handler.kind == COMET_ON_SIGNAL || handler.kind == COMET_ON_POSTED || descriptor_of(handler) >= 0) return true;
      if (handler.kind != COMET_ON_TIMER) continue;
      for (const Timer& timer : status.timers)
        if (timer.id == handler.id) return true;
    }
  }
  return false;
}

// When something is due of which the host's clock tells; UINT64_MAX: nothing is. A timer that no handler can have now is
// not waited for: whoever can let it have one runs first.
std::uint64_t Machine::next_due(std::uint64_t now) {
  std::uint64_t next = UINT64_MAX;
  for (const auto& [id, thread] : threads_) {
    if (thread->status.wait.nanoseconds != Wait::for_ever && host.granted("clock")) {
      if (thread->waits_since == 0) thread->waits_since = now;
      next = std::min(next, later(thread->waits_since, thread->status.wait.nanoseconds));
    }
    const bool open = interruptible(*thread);
    for (const Timer& timer : thread->status.timers) {
      const std::uint64_t due = thread->timers_due.try_emplace(timer.id, later(now, timer.nanoseconds)).first->second;
      if (open && find_handler(*thread, COMET_ON_TIMER, timer.id) != nullptr) next = std::min(next, due);
    }
  }
  return next;
}

// The event that a thread can have now, if there is one; it is taken from where it waited.
std::optional<Change> Machine::event_for(comet_thread id, std::uint64_t now) {
  Thread& waiting = thread(id);
  const auto event = [&](const Reaction& handler, std::uint64_t value) {
    return Change{.kind = Change::Kind::event, .access = static_cast<std::uint8_t>(handler.kind), .where = id,
                  .address = handler.id, .value = value};
  };
  for (const Reaction& handler : waiting.status.handlers) {
    if (handler.kind == COMET_ON_TIMER) {
      const auto due = waiting.timers_due.find(handler.id);
      if (due == waiting.timers_due.end() || due->second > now) continue;
      for (const Timer& timer : waiting.status.timers)
        if (timer.id == handler.id && timer.period != 0) due->second = std::max(now, later(due->second, timer.period));
      if (due->second <= now) waiting.timers_due.erase(due);
      return event(handler, 0);
    }
    if (const int descriptor = descriptor_of(handler); descriptor >= 0) {
      pollfd ready{descriptor, static_cast<short>(handler.kind == COMET_ON_READABLE ? POLLIN : POLLOUT), 0};
      if (::poll(&ready, 1, 0) > 0) return event(handler, 0);
    }
    PostedEvent posted{};
    if (handler.kind != COMET_ON_TRAP &&
        events.take(posted, [&](const PostedEvent& one) { return one.kind == handler.kind && one.id == handler.id; }))
      return event(handler, posted.value);
  }
  return {};
}

// Lets the program have what has come. False: nothing has.
bool Machine::take_arrivals() {
  const std::uint64_t now = monotonic_now();
  next_due(now);
  std::vector<Change> changes;
  // So that nothing that was taken gets lost.
  changes.reserve(threads_.size());
  timeline.reserve_open_calls(threads_.size() + 1);
  for (const auto& [id, thread] : threads_) {
    const Wait& wait = thread->status.wait;
    if (wait.nanoseconds != Wait::for_ever && thread->waits_since != 0 && later(thread->waits_since, wait.nanoseconds) <= now) {
      changes.push_back({.kind = Change::Kind::event, .where = id});
    } else if (!thread->status.handlers.empty() && interruptible(*thread)) {
      if (const std::optional<Change> event = event_for(id, now)) changes.push_back(*event);
    }
  }
  if (changes.empty()) return false;
  const std::uint64_t count = instruction_count();
  schedule_.arrived = count + 1;
  if (timeline.recording()) {
    const bool waited = !thread(schedule_.current).status.runnable();
    timeline.open(COMET_EVERY_THREAD, count, waited ? 1 : 0, count);
    for (const Change& change : changes) timeline.note(change);
    timeline.finish(COMET_EVERY_THREAD, {}, {});
  }
  for (const Change& change : changes) apply(change);
  return true;
}

// Waits until something comes; false: the run has to stop before.
bool Machine::await_arrival() {
  for (;;) {
    if (take_arrivals()) return true;
    if (stop_requested()) return false;
    std::vector<pollfd> descriptors;
    for (const auto& [id, thread] : threads_)
      for (const Reaction& handler : thread->status.handlers)
        if (const int descriptor = descriptor_of(handler); descriptor >= 0 && interruptible(*thread))
          descriptors.push_back({descriptor, static_cast<short>(handler.kind == COMET_ON_READABLE ? POLLIN : POLLOUT), 0});
    const std::uint64_t now = monotonic_now(), due = next_due(now);
    // beyond tests: the time has to come between two looks at the clock
    const std::uint64_t left = due <= now ? 0 : (due - now) / nanoseconds_a_millisecond + 1;
    ::poll(descriptors.data(), static_cast<nfds_t>(descriptors.size()),
           static_cast<int>(std::min<std::uint64_t>(left, wait_milliseconds)));
  }
}

} // namespace comet
