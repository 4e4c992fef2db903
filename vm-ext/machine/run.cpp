// Running: slices of the fast loop, single steps of the reference loop, and what stops them.
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <optional>
#include <utility>

#include "../api/guard.h"
#include "floating_point.h"
#include "reference.h"
#include "stay.h"

namespace comet {
namespace {

// Work between two looks at requests to stop, about a millisecond, in instructions of the fast loop; a
// step of the reference loop, and the bytes that it moves, count in the same measure.
constexpr std::int64_t slice = std::int64_t{1} << 18;
constexpr std::int64_t reference_step_work = 64;
constexpr std::int64_t bytes_a_work = 16;
// Where so much is told that the fast loop does no more between two instructions that are, going in and out of it
// costs more than it saves, and the reference loop does so many steps in a row.
constexpr std::uint64_t worthwhile_slice = 4;
constexpr unsigned steps_instead = 16;
// From where fuel ended to where a branch leads, or a block began before.
constexpr unsigned most_steps_to_entry = 256;
// Decoding a block, and dropping what was decoded, with one unit more for each activation that refers to it.
constexpr std::int64_t decode_work = 512;
constexpr std::int64_t forget_work = 16384;
// A handler's window begins behind the registers that are not 0, which are looked for from the end.
constexpr std::uint64_t registers_a_work = 2;

// An observer hears of accesses to a space as long as this lives.
class ObserverScope {
 public:
  ObserverScope(AddressSpace& memory, Observer* observer)
      : memory_(memory), outer_(memory.observe({observer, observer != nullptr ? observer->memory() : NoRanges()})) {}
  ~ObserverScope() { memory_.observe(std::move(outer_)); } // of the run whose host call runs this one
  ObserverScope(const ObserverScope&) = delete;
  ObserverScope& operator=(const ObserverScope&) = delete;

 private:
  using NoRanges = std::vector<AddressSpace::Observed>;
  AddressSpace& memory_;
  AddressSpace::Observing outer_;
};

// Says as long as it lives that a thread runs: see Machine::require_no_run.
class RunScope {
 public:
  RunScope(unsigned& runs, bool& running) : runs_(runs), running_(running) {
    ++runs_;
    running_ = true;
  }
  ~RunScope() {
    --runs_;
    running_ = false;
  }
  RunScope(const RunScope&) = delete;
  RunScope& operator=(const RunScope&) = delete;

 private:
  unsigned& runs_;
  bool& running_;
};

class Run {
 public:
  // `observer`: told what each instruction does, by the reference loop alone; may be null.
  Run(Machine& machine, comet_thread id, comet_stop& stop, Observer* observer, RunBegin& how)
      : machine_(machine), thread_(machine.thread(id)), space_(machine.space(thread_.space)),
        reference_(machine, thread_, id, stop, observer), stop_(stop), id_(id), observer_(observer),
        fuel_(how.fuel), work_until_look_(how.work_until_look), brief_(how.brief), past_breakpoint_(how.first) {
    if (observer == nullptr) return;
    std::optional<Told> told = observer->told();
    all_told_ = !told;
    if (!told) return;
    told_ = std::move(*told);
    for (const std::uint64_t place : told_.registers)
      if (place < thread_.register_count()) places_[place_count_++] = thread_.registers.data() + place;
    if (!told_.registers.empty()) told_.divide_step(std::gcd(thread_.common_window_step(), space_.code.window_step()));
  }

  // Sets the reason in `stop`.
  void until_stopped(std::uint64_t turn);
  std::uint64_t charged() const { return reference_.charged(); }

 private:
  enum class Turn { go_on, stop };

  Turn step();
  Turn fast_slice(std::uint64_t fuel);
  std::uint64_t executed() const { return thread_.instruction_count - first_instruction_; }
  std::uint64_t fuel_left_now() const {
    return fuel_ - executed() - reference_.charged();
  }
  // Whether a call was just decoded that moves windows to where instructions are not told of yet.
  bool meets_new_windows() const {
    return !told_.registers.empty() && std::gcd(told_.window_step, space_.code.window_step()) != told_.window_step;
  }
  void forget_stale_code() {
    if (meets_new_windows()) told_.divide_step(space_.code.window_step());
    if (!space_.memory.code_changed && !space_.code.overfull() && space_.code.told() == told_) return;
    if (space_.code.bytes() > CodeCache::byte_limit) machine_.tell("decoded code is dropped, since it takes more than %zu bytes", CodeCache::byte_limit);
    machine_.forget_code(space_);
    space_.code.tell(told_);
    work_until_look_ -= forget_work + static_cast<std::int64_t>(thread_.depth());
  }

  // Blocks begin where branches lead to, by whichever loop these are executed; else the fast loop would find loops of
  // the program begun in their middle, and be slower in them for ever.
  void decode_entry() {
#ifndef COMET_REFERENCE_ONLY
    if (space_.code.find(thread_.pc) != nullptr) return;
    space_.code.slot_at(thread_.pc);
    work_until_look_ -= decode_work;
#endif
  }

  Machine& machine_;
  Thread& thread_;
  Space& space_;
  Reference reference_;
  comet_stop& stop_;
  const comet_thread id_;
  const Observer* const observer_;
  Told told_;
  const std::uint64_t* places_[Told::most_registers] = {}; // that are told of, before they were reduced to steps
  std::size_t place_count_ = 0;
  bool all_told_ = false; // the observer wants every instruction
  unsigned steps_due_ = 0; // before the fast loop is tried again
  unsigned steps_to_entry_ = 0; // that are left, until a block may begin anywhere
  std::uint64_t first_instruction_ = 0;
  const std::uint64_t fuel_;
  std::int64_t& work_until_look_;
  const bool brief_;
  // Sets the reason if the run stops before the instruction at the pc.
  bool stops_here() {
    if (space_.code.has_breakpoint(thread_.pc)) stop_.reason = COMET_BREAKPOINT;
    else if (space_.code.is_traced(thread_.pc)) stop_.reason = COMET_TRACED;
    else return false;
    return true;
  }

  bool past_breakpoint_; // the breakpoint at the pc does not count
};

Run::Turn Run::step() {
  if (!past_breakpoint_ && stops_here()) return Turn::stop;
  past_breakpoint_ = false;
  const Outcome outcome = reference_.step();
  work_until_look_ -= reference_step_work + static_cast<std::int64_t>(reference_.moved_bytes()) / bytes_a_work;
  forget_stale_code();
  if (outcome == Outcome::stopped) return Turn::stop;
  if (reference_.jumped()) decode_entry();
  if (observer_ == nullptr || !observer_->satisfied()) return Turn::go_on;
  stop_.reason = COMET_OBSERVED;
  return Turn::stop;
}

#ifndef COMET_REFERENCE_ONLY

Run::Turn Run::fast_slice(std::uint64_t fuel) {
  FastContext context = fast_context(space_, thread_);
  std::copy(places_, places_ + place_count_, context.places);
  context.place_count = place_count_;

  const Slot* slot = space_.code.slot_at(thread_.pc);
  if (meets_new_windows()) return Turn::go_on;
  for (;;) {
    run_fast(slot, thread_.window, thread_.top, context, fuel);
    const std::uint64_t left = fuel_left(context.pc, context.limit);
    if (observer_ != nullptr && fuel - left < worthwhile_slice) steps_due_ = steps_instead;
    thread_.instruction_count += fuel - left;
    work_until_look_ -= static_cast<std::int64_t>(fuel - left);
    fuel = left;
    settle(thread_, space_, context);
    past_breakpoint_ = false;
    if (context.exit != Exit::link) break;
    slot = space_.code.follow_link(context.pc);
    work_until_look_ -= decode_work;
    if (fuel < fast_margin || work_until_look_ <= 0 || space_.code.overfull() || meets_new_windows()) return Turn::go_on;
  }
  // Where it left behind a branch; the reference loop may be the one that goes on.
  // beyond tests: the last block before has to take the last slots
  if ((context.exit == Exit::address || context.exit == Exit::fuel) && !space_.code.overfull()) decode_entry();
  if (context.exit == Exit::reference) return step();
  if (context.exit == Exit::breakpoint) {
    stop_.reason = COMET_BREAKPOINT;
    return Turn::stop;
  }
  return Turn::go_on;
}

#endif

void Run::until_stopped(std::uint64_t turn) {
  first_instruction_ = thread_.instruction_count;
  reference_.begin(fuel_);
  [[maybe_unused]] bool goes_on = std::exchange(thread_.fuel_ended_at, Thread::nowhere) == thread_.pc;
  for (;;) {
    if (work_until_look_ <= 0) {
      if (machine_.schedule().begun) machine_.timeline.reached(COMET_EVERY_THREAD, machine_.instruction_count());
      else machine_.timeline.reached(id_, thread_.instruction_count);
      if (machine_.stop_requested()) {
        stop_.reason = COMET_INTERRUPTED;
        return;
      }
      work_until_look_ = slice;
    }
    forget_stale_code();
    const std::uint64_t fuel = fuel_left_now(), left = std::min(fuel, turn - executed());
    if (left == 0) {
      stop_.reason = fuel == 0 ? COMET_OUT_OF_FUEL : turn_ended;
      if (executed() != 0) thread_.fuel_ended_at = thread_.pc;
      return;
    }
    Turn turn;
#ifndef COMET_REFERENCE_ONLY
    const bool step_first = std::exchange(thread_.step_due, false) ||
                            (past_breakpoint_ && (space_.code.has_breakpoint(thread_.pc) || space_.code.is_traced(thread_.pc)));
    if (steps_due_ != 0) --steps_due_;
    // If a block began wherever fuel happened to end, others would end there for ever, in the middle of loops.
    if (std::exchange(goes_on, false)) steps_to_entry_ = most_steps_to_entry;
    if (steps_to_entry_ != 0) steps_to_entry_ = space_.code.find(thread_.pc) != nullptr ? 0 : steps_to_entry_ - 1;
    const bool fast = left >= fast_margin && !step_first && !all_told_ && steps_due_ == 0 && steps_to_entry_ == 0;
    if (fast && brief_) {
      stop_.reason = turn_ended;
      return;
    }
    if (fast)
      turn = fast_slice(std::min(left, std::max(static_cast<std::uint64_t>(work_until_look_), fast_margin)));
    else
#endif
      turn = step();
    if (turn == Turn::stop) return;
    if (thread_.handler_returned()) {
      stop_.reason = turn_ended;
      return;
    }
  }
}

} // namespace

void Machine::run(comet_thread id, std::uint64_t fuel, comet_stop& stop, comet_observation* observation) {
  if (observation != nullptr) observation->event_count = observation->seen = 0;
  if (id == COMET_EVERY_THREAD) {
    require_no_run("run every thread");
    bool running = false; // one of them or, as long as all wait, none
    const RunScope under_way(runs_under_way_, running);
#ifndef COMET_REFERENCE_ONLY
    if (parallel_ && observation == nullptr && !timeline.recording()) return run_in_parallel(fuel, stop);
#endif
    return run_every_thread(fuel, stop, observation);
  }
  Thread& running = thread(id);
  const std::uint64_t before = running.instruction_count;
  RunBegin how{.fuel = fuel};
  do {
    run_thread(id, UINT64_MAX, stop, observation, how);
    how.first = false;
  } while (stop.reason == turn_ended);
  yielded_ = false; // to nobody
  stop.executed = running.instruction_count - before;
  stop.fuel = fuel - how.fuel;
}

// Until `turn` instructions were executed, something stops it, or turns have to be looked at anew.
void Machine::run_thread(comet_thread id, std::uint64_t turn, comet_stop& stop, comet_observation* observation, RunBegin& how) {
  Thread& running = thread(id);
  const std::uint64_t before = running.instruction_count;
  for (;;) {
    run_slice(id, turn - (running.instruction_count - before), stop, observation, how);
    const std::uint64_t reached = std::max(running.touched, running.window_bound); // that a handler's window is looked for in
    const bool returned = running.handler_returned();
    if (returned) end_interruption(running);
    const bool trapped = stop.reason == COMET_TRAP && call_trap_handler(id, stop);
    if (!trapped && !(returned && stop.reason == turn_ended)) break;
    how.first = false;
    how.work_until_look -= static_cast<std::int64_t>(reached / registers_a_work);
  }
  stop.thread = id;
  stop.pc = running.pc;
  stop.instruction_count = running.instruction_count;
}

// A stretch of the program's own code, or of a handler.
void Machine::run_slice(comet_thread id, std::uint64_t turn, comet_stop& stop, comet_observation* observation, RunBegin& how) {
  Thread& running = thread(id);
  if (running.running)
    fail(COMET_ERROR_STATE, running.pc, "thread %u is running already; a host call may run other threads, not its own", id);
  running.pending_call.reset();
  if (asked_in_turn_ == id) asked_in_turn_.reset();
  timeline.abandon(id);
  AddressSpace& memory = space(running.space).memory;
  memory.watch_hit.reset();
  if (!running.status.runnable()) {
    stop.reason = running.status.result ? COMET_HALTED : COMET_WAITING;
    stop.exit_status = static_cast<std::int64_t>(running.status.result.value_or(0));
    return;
  }
  std::optional<Observer> observer;
  if (observation != nullptr) observer.emplace(*observation, memory, running, id, how.count_before);
  if (running.failed_call) {
    stop.reason = COMET_TRAP;
    stop.trap = COMET_TRAP_HOST_CALL;
    std::snprintf(stop.message, sizeof stop.message, "%s", running.failed_call->c_str());
    running.failed_call.reset();
  } else if (running.served_hit) {
    report_watch_hit(*running.served_hit, stop);
    running.served_hit.reset();
  } else {
    const RunScope under_way(runs_under_way_, running.running);
    const FloatingPointScope scope;
    Observer* const told = observer ? &*observer : nullptr;
    const ObserverScope listening(memory, told);
    const std::uint64_t before = running.instruction_count;
    Run run(*this, id, stop, told, how);
    run.until_stopped(turn);
    how.fuel -= running.instruction_count - before + run.charged();
  }
  if (observer) observer->finish();
}

namespace {

const PendingCall& require_pending(const Thread& waiting, comet_thread id) {
  if (!waiting.pending_call)
    fail(COMET_ERROR_STATE, waiting.pc, "thread %u waits for no host call; run it until it stops with COMET_HOST_CALL", id);
  return *waiting.pending_call;
}

} // namespace

std::uint64_t Machine::host_argument(comet_thread id, std::uint64_t n) const {
  const Thread& waiting = thread(id);
  const std::uint64_t base = require_pending(waiting, id).base;
  const std::uint64_t room = waiting.register_count() - waiting.window_index() - base;
  return n < room - 1 ? waiting.window[base + 1 + n] : 0;
}

void Machine::fail_host_call(comet_thread id, std::string message) {
  Thread& waiting = thread(id);
  const std::string& name = host.imports().at(static_cast<std::size_t>(require_pending(waiting, id).index));
  waiting.failed_call = "host call `" + name + "` failed: " + message;
  waiting.pending_call.reset();
  timeline.abandon(id);
}

const std::pair<const comet_thread, std::unique_ptr<Thread>>* Machine::next_waiting(comet_thread from) const {
  for (auto entry = threads_.lower_bound(from); entry != threads_.end(); ++entry)
    if (entry->second->pending_call) return &*entry;
  return nullptr;
}

Space& Machine::waiting_space(comet_thread id) const {
  const Thread& waiting = thread(id);
  require_pending(waiting, id);
  return space(waiting.space);
}

void Machine::complete_host_call(comet_thread id, std::uint64_t result) {
  Thread& waiting = thread(id);
  const PendingCall call = require_pending(waiting, id);
  waiting.write(waiting.window + call.base + 1, result);
  waiting.pc = call.next;
  ++waiting.instruction_count;
  waiting.pending_call.reset();
  std::optional<WatchHit>& hit = space(waiting.space).memory.watch_hit;
  waiting.served_hit = hit;
  hit.reset();
  timeline.finish(id, result, {});
  count_completed(id);
}

} // namespace comet
