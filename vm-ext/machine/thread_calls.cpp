// The standard host calls of threads and of what they react to. What they do follows from the machine's state alone, so
// they are no part of the timeline's log: a past that is run again does them again.
#include <algorithm>
#include <tuple>

#include "../host/call.h"
#include "../host/standard.h"
#include "little_endian.h"
#include "machine.h"

namespace comet {
namespace {

constexpr int64_t error_no_thread = -3;
constexpr int64_t error_try_again = -11;
constexpr int64_t error_for_ever = -35;

Thread& thread_of(comet_call* call) { return call->machine->thread(call->thread); }

// What the call waited for has come; it is not asked for twice.
bool answered(comet_call* call) {
  std::optional<uint64_t>& answer = thread_of(call).status.answer;
  if (!answer) return false;
  comet_call_result(call, *answer);
  answer.reset();
  return true;
}

// ---- threads -----------------------------------------------------------------------------------------

comet_status call_spawn(comet_call* call, void*) {
  const std::optional<comet_thread> made =
      call->machine->spawn(call->thread, comet_call_argument(call, 0), comet_call_argument(call, 1));
  return result(call, made ? static_cast<int64_t>(*made) : error_try_again);
}

comet_status call_join(comet_call* call, void*) {
  const uint64_t number = comet_call_argument(call, 0);
  const auto id = static_cast<comet_thread>(number);
  if (id == call->thread) return result(call, error_for_ever);
  if (id != number || !call->machine->has_thread(id) || !call->machine->thread(id).status.spawned)
    return result(call, error_no_thread);
  const Thread& joined = call->machine->thread(id);
  if (!joined.status.result || joined.running) { // beyond tests: who has a result runs no more; this keeps it so
    call->machine->make_wait(call->thread, {.what = Wait::For::thread, .place = id});
    return COMET_OK;
  }
  comet_call_result(call, call->machine->bury_thread(id));
  return COMET_OK;
}

comet_status call_leave(comet_call* call, void*) {
  if (!thread_of(call).status.spawned) return result(call, error_bad_argument);
  call->machine->end_thread(call->thread, comet_call_argument(call, 0));
  return COMET_OK;
}

comet_status call_self(comet_call* call, void*) { return result(call, static_cast<int64_t>(call->thread)); }

comet_status call_yield(comet_call* call, void*) {
  call->machine->yield();
  return result(call, 0);
}

template <class Word>
comet_status call_wait(comet_call* call, void*) {
  if (answered(call)) return COMET_OK;
  const uint64_t address = comet_call_argument(call, 0), expected = comet_call_argument(call, 1);
  if (address % sizeof(Word) != 0) return result(call, error_bad_argument);
  uint8_t bytes[sizeof(Word)];
  if (const comet_status status = host_check(call, address, sizeof bytes, COMET_READ); status != COMET_OK) return status;
  call->space->memory.note_access(address, sizeof bytes, protection_read);
  call->space->memory.read(address, bytes, sizeof bytes);
  if (load_little<Word>(bytes) != static_cast<Word>(expected)) return result(call, 1);
  call->machine->make_wait(call->thread, {.what = Wait::For::address, .place = address, .nanoseconds = comet_call_argument(call, 2)});
  return COMET_OK;
}

comet_status call_notify(comet_call* call, void*) {
  const uint64_t woken =
      call->machine->notify(thread_of(call).space, comet_call_argument(call, 0), comet_call_argument(call, 1));
  return result(call, static_cast<int64_t>(woken));
}

// ---- events ------------------------------------------------------------------------------------------

// Puts an item where it belongs in a sorted list, in the place of its equal, or takes that away. False: the list is full.
template <class Item, class Before>
bool change_sorted(std::vector<Item>& items, const Item& item, bool take_away, size_t most, Before before) {
  const auto place = std::lower_bound(items.begin(), items.end(), item, before);
  const bool known = place != items.end() && !before(item, *place);
  if (take_away) {
    if (known) items.erase(place);
  } else if (known) {
    *place = item;
  } else {
    if (items.size() == most) return false;
    items.insert(place, item);
  }
  return true;
}

comet_status call_on(comet_call* call, void*) {
  const Reaction handler{comet_call_argument(call, 0), comet_call_argument(call, 1), comet_call_argument(call, 2),
                        comet_call_argument(call, 3)};
  if (!possible_reaction(handler.kind, handler.id)) return result(call, error_bad_argument);
  const bool done = change_sorted(thread_of(call).status.handlers, handler, handler.function == 0, most_reactions,
                                  [](const Reaction& one, const Reaction& other) {
                                    return std::tie(one.kind, one.id) < std::tie(other.kind, other.id);
                                  });
  if (!done) return result(call, error_no_memory);
  call->machine->reschedule();
  return result(call, 0);
}

comet_status call_timer(comet_call* call, void*) {
  const Timer timer{comet_call_argument(call, 0), comet_call_argument(call, 1), comet_call_argument(call, 2)};
  Thread& thread = thread_of(call);
  thread.timers_due.erase(timer.id);
  const bool done = change_sorted(thread.status.timers, timer, timer.nanoseconds == Wait::for_ever, most_timers,
                                  [](const Timer& one, const Timer& other) { return one.id < other.id; });
  if (!done) return result(call, error_no_memory);
  call->machine->reschedule();
  return result(call, 0);
}

comet_status call_pause(comet_call* call, void*) {
  if (answered(call)) return COMET_OK;
  call->machine->make_wait(call->thread, {.what = Wait::For::event});
  return COMET_OK;
}

}  // namespace

const std::array<StandardCall, internal_call_count> internal_calls{{
    {"threads", "spawn", call_spawn},
    {"threads", "join", call_join},
    {"threads", "leave", call_leave},
    {"threads", "self", call_self},
    {"threads", "yield", call_yield},
    {"threads", "wait32", call_wait<uint32_t>},
    {"threads", "wait64", call_wait<uint64_t>},
    {"threads", "notify", call_notify},
    {"events", "on", call_on},
    {"events", "pause", call_pause},
    {"clock", "timer", call_timer},
}};

}  // namespace comet
