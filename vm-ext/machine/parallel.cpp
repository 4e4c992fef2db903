// The parallel scheduler: threads of the program run on several host threads at the same time.
//
// It goes in rounds. In the first part of a round the host thread that runs the machine has it for itself, and does for
// each thread whatever the fast loop does not do: traps, host calls, decoding, accesses that need care, handlers. It is
// the same code as when threads take turns, and need not know of this. In the second part, threads stay in the fast loop
// side by side and do nothing else (stay.h says why they cannot disturb each other). It ends when the first of them
// needs something, or after about a millisecond: the others are held then, some microseconds later.
#include <algorithm>
#include <vector>

#include "floating_point.h"
#include "machine.h"
#include "reference.h"
#include "stay.h"

namespace comet {
namespace {

constexpr std::uint64_t nanoseconds_between_looks = 1'000'000;
constexpr std::uint64_t most_fuel = std::uint64_t{1} << 40; // of a stay

} // namespace

#ifdef COMET_REFERENCE_ONLY

// Without the fast loop there is nothing to be done side by side.
void Machine::set_host_threads(std::uint32_t) { require_no_run("change its scheduler"); }

#else

void Machine::set_host_threads(std::uint32_t most) {
  require_no_run("change its scheduler");
  const std::uint64_t useful = std::min<std::uint64_t>(most, config_.thread_limit);
  parallel_ = most != 0;
  host_threads_.set_count(static_cast<std::size_t>(std::max<std::uint64_t>(useful, 1) - 1));
}

// Up to so many threads that can run, in order of their numbers from one on, and around.
std::vector<comet_thread> Machine::choose_threads(comet_thread from, std::size_t most) const {
  std::vector<comet_thread> chosen;
  auto next = threads_.lower_bound(from);
  for (std::size_t seen = 0; seen < threads_.size() && chosen.size() < most; ++seen, ++next) {
    if (next == threads_.end()) next = threads_.begin();
    if (next->second->status.runnable()) chosen.push_back(next->first);
  }
  return chosen;
}

// Threads that another one's part of the round has ended, made wait, or changed the code of, are left out.
void Machine::stay_side_by_side(const std::vector<comet_thread>& chosen, std::vector<Stay>& stays, RunBegin& how) {
  stays.resize(chosen.size());
  std::size_t count = 0;
  const std::size_t most = std::min<std::uint64_t>({chosen.size(), host_threads_.count() + 1, how.fuel / fast_margin});
  const std::uint64_t share = std::min(most_fuel, how.fuel / std::max<std::size_t>(most, 1));
  for (const comet_thread id : chosen) {
    if (count == most) break;
    if (!has_thread(id) || !thread(id).status.runnable()) continue;
    Space& in = space(thread(id).space);
    // beyond tests: another space has to change code that both show, or a handler to end where slots do
    if (in.memory.code_changed || in.code.overfull()) continue;
    stays[count++].begin(thread(id), in, share);
  }
  if (count == 0) return;
  host_threads_.run(stays.data(), count);
  std::uint64_t longest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t executed = stays[i].end();
    how.fuel -= executed;
    longest = std::max(longest, executed);
  }
  how.work_until_look -= static_cast<std::int64_t>(longest);
  for (std::size_t i = 0; i < count; ++i) stays[i].resolve_link();
}

void Machine::run_in_parallel(std::uint64_t fuel, comet_stop& stop) {
  const FloatingPointScope scope;
  if (threads_.size() > 1) begin_schedule(threads_.begin()->first);
  else if (!schedule_.begun) schedule_.current = threads_.begin()->first;
  settle_turn();
  const std::uint64_t begin = instruction_count(), pc = thread(schedule_.current).pc;
  RunBegin how{.fuel = fuel, .brief = true};
  std::vector<Stay> stays;
  comet_thread next = schedule_.current;
  std::uint64_t looked = 0; // when, at what comes from outside
  bool ended = false;
  for (;;) {
    if (const std::uint64_t now = monotonic_now(); now - looked >= nanoseconds_between_looks) {
      looked = now;
      if (may_arrive()) take_arrivals();
      how.first = how.first && thread(schedule_.current).pc == pc; // see run_every_thread
    }
    const std::vector<comet_thread> chosen = choose_threads(next, host_threads_.count() + 1);
    if (how.fuel == 0 || chosen.empty()) {
      how.first = false;
      stop.reason = how.fuel == 0 ? COMET_OUT_OF_FUEL : may_arrive() ? COMET_INTERRUPTED : COMET_WAITING;
      if (stop.reason == COMET_INTERRUPTED && await_arrival()) continue;
      next = chosen.empty() ? schedule_.current : chosen.front();
      break;
    }
    for (const comet_thread id : chosen) {
      // beyond tests: a host call of one that was chosen before has to free it
      if (!has_thread(id)) continue;
      run_thread(id, UINT64_MAX, stop, nullptr, how);
      how.first = yielded_ = false;
      // What concerns this thread alone does not end the run.
      ended = !(stop.reason == turn_ended || stop.reason == COMET_WAITING ||
                (stop.reason == COMET_HALTED && thread(id).status.result.has_value()));
      next = id;
      if (ended) break;
    }
    if (ended) break;
    ++next;
    stay_side_by_side(chosen, stays, how);
  }
  // Who goes on, however that is, goes on with the thread that ended the run.
  schedule_.current = next;
  settle_turn();
  const Thread& current = thread(ended ? next : schedule_.current);
  stop.thread = ended ? next : schedule_.current;
  stop.pc = current.pc;
  stop.instruction_count = current.instruction_count;
  stop.executed = instruction_count() - begin;
  stop.fuel = fuel - how.fuel;
}

#endif

} // namespace comet
