// Turns: which thread executes how many instructions, what it waits for, and how it ends.
#include <algorithm>

#include "../api/guard.h"
#include "machine.h"
#include "reference.h"

namespace comet {
namespace {

// One more than a number, as "none yet" is 0.
constexpr std::uint64_t mark(std::uint64_t count) { return count + 1; }

} // namespace

std::uint64_t Machine::instruction_count() const {
  std::uint64_t count = schedule_.ended_count;
  for (const auto& [id, thread] : threads_) count += thread->instruction_count;
  return count;
}

// SplitMix64, as for seeds of the random generator.
std::uint64_t Machine::draw_slice() {
  if (schedule_.seed == 0) return schedule_.slice;
  std::uint64_t drawn = schedule_.drawn += 0x9e3779b97f4a7c15;
  drawn = (drawn ^ drawn >> 30) * 0xbf58476d1ce4e5b9;
  drawn = (drawn ^ drawn >> 27) * 0x94d049bb133111eb;
  return 1 + (drawn ^ drawn >> 31) % (2 * schedule_.slice);
}

// Slices go on being counted while one thread runs alone, so that turns do not depend on where runs were stopped.
void Machine::take_from_slice(std::uint64_t executed) {
  if (executed < schedule_.slice_left) {
    schedule_.slice_left -= executed;
    return;
  }
  executed -= schedule_.slice_left;
  if (schedule_.seed == 0) executed %= schedule_.slice;
  for (schedule_.slice_left = draw_slice(); executed >= schedule_.slice_left; schedule_.slice_left = draw_slice())
    executed -= schedule_.slice_left;
  schedule_.slice_left -= executed;
  // At the ends of slices before, there was no other thread that could run.
  if (executed == 0) pass_turn();
}

// The hcall counts in the slice when it is completed, as it does when the log answers it.
void Machine::count_completed(comet_thread id) {
  if (!asked_in_turn(id)) return;
  asked_in_turn_.reset();
  take_from_slice(1);
}

// To the next thread that can run, by number; it may be the same.
void Machine::pass_turn() {
  auto next = threads_.upper_bound(schedule_.current);
  for (std::size_t seen = 0; seen < threads_.size(); ++seen, ++next) {
    if (next == threads_.end()) next = threads_.begin();
    if (!next->second->status.runnable()) continue;
    schedule_.current = next->first;
    return;
  }
  if (threads_.find(schedule_.current) == threads_.end()) schedule_.current = threads_.begin()->first;
}

bool Machine::others_runnable() const {
  return std::any_of(threads_.begin(), threads_.end(), [&](const auto& entry) {
    return entry.first != schedule_.current && entry.second->status.runnable();
  });
}

// A thread that waits or has ended leaves the rest of its slice, and the next one begins another.
void Machine::settle_turn() {
  if (!schedule_.begun) return;
  const auto current = threads_.find(schedule_.current);
  if (current != threads_.end() && current->second->status.runnable()) return;
  const comet_thread before = schedule_.current;
  pass_turn();
  if (schedule_.current != before) schedule_.slice_left = draw_slice();
}

void Machine::begin_schedule(comet_thread current) {
  if (schedule_.begun) return;
  schedule_.begun = true;
  schedule_.current = current;
  schedule_.slice_left = draw_slice();
}

void Machine::set_schedule(std::uint64_t slice, std::uint64_t seed) {
  require_no_run("get another schedule");
  begin_schedule(threads_.begin()->first);
  schedule_.slice = slice;
  schedule_.seed = schedule_.drawn = seed;
  schedule_.slice_left = draw_slice();
}

void Machine::run_every_thread(std::uint64_t fuel, comet_stop& stop, comet_observation* observation) {
  if (threads_.size() > 1) begin_schedule(threads_.begin()->first);
  else if (!schedule_.begun) schedule_.current = threads_.begin()->first;
  const std::uint64_t begin = instruction_count();
  std::uint64_t unlooked = between_looks; // instructions since the last look at what comes from outside
  std::uint64_t waited_at = 0; // one more than the count at which a thread began to wait: nothing else comes at that
  RunBegin how{.fuel = fuel};
  for (;;) {
    settle_turn();
    const std::uint64_t count = instruction_count();
    timeline.ran_to(count);
    if (how.fuel == 0) {
      stop.reason = COMET_OUT_OF_FUEL;
      break;
    }
    std::uint64_t length = UINT64_MAX;
    const bool arrived = schedule_.arrived == mark(count);
    // A handler that is called when the run begins is not past a breakpoint at its own beginning.
    const auto leave = [&, pc = thread(schedule_.current).pc] { how.first = how.first && thread(schedule_.current).pc == pc; };
    if (timeline.arrivals_forgotten(arrived ? count + 1 : count))
      fail(COMET_ERROR_STATE, 0, "the timeline's log of events no longer reaches back to %llu instructions; begin a new timeline",
           static_cast<unsigned long long>(count));
    if (const LoggedCall* logged = timeline.next_arrival(arrived ? count + 1 : count)) {
      // What came when every thread waited comes when they do so again, at this count.
      if (logged->count == count && (logged->index == 0 || !thread(schedule_.current).status.runnable())) {
        schedule_.arrived = mark(count);
        for (const Change& change : logged->changes) apply(change);
        leave();
        continue;
      }
      if (logged->count > count) length = logged->count - count;
      else waited_at = mark(count);
    }
    if (count < timeline.known_to()) {
      length = std::min(length, timeline.known_to() - count);
    } else if (unlooked >= between_looks && waited_at != mark(count)) {
      unlooked = 0;
      if (!arrived && take_arrivals()) {
        leave();
        continue;
      }
    }
    Thread& current = thread(schedule_.current);
    if (!current.status.runnable()) {
      how.first = false;
      if (!may_arrive()) {
        stop.reason = COMET_WAITING;
        break;
      }
      if (!await_arrival()) {
        stop.reason = COMET_INTERRUPTED;
        break;
      }
      continue;
    }
    // When its handler returns, or it has the answer that it waited for, a thread can have events again.
    const bool soon = !current.status.interruptions.empty() || current.status.answer;
    if (soon || may_arrive()) length = std::min(length, between_looks - std::min(unlooked, between_looks - 1));
    // Slices that are drawn are counted one by one, without a look at requests to stop.
    if (schedule_.begun && schedule_.seed != 0) length = std::min(length, between_looks);
    if (schedule_.begun && others_runnable()) length = std::min(length, schedule_.slice_left);

    const bool counted = schedule_.begun;
    const comet_thread id = schedule_.current;
    how.count_before = count - current.instruction_count;
    yielded_ = false;
    run_thread(id, length, stop, observation, how);
    how.first = false;
    const std::uint64_t executed = instruction_count() - count;
    if (executed == 0 && stop.reason == COMET_WAITING) waited_at = mark(count);
    unlooked = executed < between_looks - unlooked ? unlooked + executed : between_looks;
    if (counted && executed != 0) take_from_slice(executed);
    if (counted && stop.reason == COMET_HOST_CALL) asked_in_turn_ = id;
    if (yielded_ && schedule_.begun) {
      schedule_.current = id;
      pass_turn();
      schedule_.slice_left = draw_slice();
    }
    // What concerns this thread alone.
    const bool goes_on = stop.reason == turn_ended || stop.reason == COMET_WAITING ||
                         (stop.reason == COMET_HALTED && thread(id).status.result.has_value());
    if (goes_on) continue;
    settle_turn();
    timeline.ran_to(instruction_count());
    stop.executed = instruction_count() - begin;
    stop.fuel = fuel - how.fuel;
    return;
  }
  const Thread& current = thread(schedule_.current);
  stop.thread = schedule_.current;
  stop.pc = current.pc;
  stop.instruction_count = current.instruction_count;
  stop.executed = instruction_count() - begin;
  stop.fuel = fuel - how.fuel;
}

// ---- what host calls of threads do ---------------------------------------------------------------------

std::optional<comet_thread> Machine::spawn(comet_thread by, std::uint64_t function, std::uint64_t argument) {
  const comet_thread id = std::max(schedule_.next_thread, threads_.rbegin()->first + 1);
  if (threads_.size() >= config_.thread_limit || id > highest_thread) return {}; // beyond tests: takes 2^31 threads
  auto made = std::make_unique<Thread>(config_, memory_, thread(by).space, function);
  made->status.spawned = true;
  made->write(made->window + 1, argument);
  threads_.emplace(id, std::move(made));
  begin_schedule(by);
  schedule_.next_thread = id + 1;
  reschedule_ = true;
  return id;
}

void Machine::end_thread(comet_thread id, std::uint64_t result) {
  thread(id).end(result);
  for (const auto& [other, waiting] : threads_)
    if (waiting->status.wait.what == Wait::For::thread && waiting->status.wait.place == id) waiting->status.wait = {};
}

std::uint64_t Machine::bury_thread(comet_thread id) {
  const Thread& ended = thread(id);
  const std::uint64_t result = *ended.status.result;
  schedule_.ended_count += ended.instruction_count;
  threads_.erase(id);
  settle_turn(); // it may have been its turn, where threads are run one by one
  return result;
}

void Machine::make_wait(comet_thread id, Wait wait) {
  wait.ticket = schedule_.next_ticket++;
  Thread& waiting = thread(id);
  waiting.status.wait = wait;
  waiting.waits_since = 0;
}

std::uint64_t Machine::notify(comet_space space, std::uint64_t address, std::uint64_t most) {
  std::uint64_t woken = 0;
  for (; woken < most; ++woken) {
    Thread* first = nullptr;
    for (const auto& [id, thread] : threads_) {
      const Wait& wait = thread->status.wait;
      if (wait.what != Wait::For::address || wait.place != address || thread->space != space) continue;
      if (first == nullptr || wait.ticket < first->status.wait.ticket) first = thread.get();
    }
    if (first == nullptr) break;
    first->status.wait = {};
    first->status.answer = 0;
  }
  if (woken != 0) reschedule_ = true;
  return woken;
}

void Machine::yield() { yielded_ = reschedule_ = true; }

} // namespace comet
