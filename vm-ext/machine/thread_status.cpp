#include "thread_status.h"

#include <tuple>

#include "../comet.h"
#include "../host/host_state.h"

namespace comet {

bool possible_reaction(std::uint64_t kind, std::uint64_t id) {
  switch (kind) {
    case COMET_ON_TIMER:
    case COMET_ON_SIGNAL:
    case COMET_ON_POSTED: return true;
    case COMET_ON_READABLE:
    case COMET_ON_WRITABLE: return id < std::tuple_size_v<decltype(HostState::streams)>;
    case COMET_ON_TRAP: return id >= COMET_TRAP_BRK && id <= COMET_TRAP_USER;
    default: return false;
  }
}

std::vector<std::uint64_t> numbers_of(const ThreadStatus& status) {
  std::vector<std::uint64_t> numbers{status.spawned, status.result.has_value(), status.result.value_or(0),
                                     static_cast<std::uint64_t>(status.wait.what), status.wait.place, status.wait.nanoseconds,
                                     status.wait.ticket, status.answer.has_value(), status.answer.value_or(0), status.declined};
  numbers.push_back(status.handlers.size());
  for (const Reaction& handler : status.handlers)
    for (const std::uint64_t part : {handler.kind, handler.id, handler.function, handler.argument}) numbers.push_back(part);
  numbers.push_back(status.timers.size());
  for (const Timer& timer : status.timers)
    for (const std::uint64_t part : {timer.id, timer.nanoseconds, timer.period}) numbers.push_back(part);
  numbers.push_back(status.interruptions.size());
  for (const Interruption& each : status.interruptions)
    for (const std::uint64_t part : {std::uint64_t{each.trap}, each.depth, each.window, std::uint64_t{each.answer.has_value()},
                                     each.answer.value_or(0)})
      numbers.push_back(part);
  return numbers;
}

std::array<std::uint64_t, schedule_numbers> numbers_of(const Schedule& schedule) {
  return {schedule.current, schedule.slice_left, schedule.slice, schedule.seed, schedule.drawn, schedule.ended_count,
          schedule.next_thread, schedule.next_ticket, schedule.arrived};
}

} // namespace comet
