// Threads, turns and registers.
#include "call.h"

namespace fuzz {

void api_calls::threads() {
  comet_machine* const on = any_made();
  comet_thread which = thread();
  const comet_space in = space();
  const std::uint64_t pc = address();
  switch (random_.below(7)) {
    case 0: CALL_ON(comet_thread_new, on, in, pc, at(which)); break;
    case 1: CALL_ON(comet_thread_free, on, which); break;
    case 2: CALL_ON(comet_set_pc, on, which, pc); break;
    case 3: CALL_ON(comet_thread_restart, on, which, pc); break;
    case 4: CALL_ON(comet_next_thread, on, which, at(which)); break;
    case 5: {
      const std::uint32_t most = may_be_parallel_ ? static_cast<std::uint32_t>(random_.below(4)) : 0;
      parallel_ |= most != 0;
      CALL_ON(comet_set_host_threads, on, most);
      break;
    }
    default: {
      comet_schedule schedule = COMET_SCHEDULE_INIT;
      schedule.size = size(sizeof schedule);
      CALL_ON(comet_schedule_get, on, at(schedule));
      const std::uint64_t slice = random_.one_in(6) ? awkward() : 1 + random_.below(100),
                          seed = random_.below(3);
      CALL_ON(comet_schedule_set, on, slice, seed);
    }
  }
}

void api_calls::registers() {
  comet_machine* const on = any_made();
  const comet_thread of = thread();
  const std::uint64_t level = random_.one_in(3) ? awkward() : random_.below(3),
                      index = random_.one_in(6) ? awkward() : random_.below(40);
  const std::uint32_t number =
      static_cast<std::uint32_t>(random_.one_in(8) ? awkward() : random_.below(COMET_THREAD_REGISTERS));
  std::uint64_t value = random_.magnitude();
  CALL_ON(comet_set_register, on, of, level, index, value);
  CALL_ON(comet_get_register, on, of, level, index, at(value));
  note(value);
  CALL_ON(comet_set_thread_register, on, of, number, value);
  CALL_ON(comet_get_thread_register, on, of, number, at(value));
  comet_activation activation = COMET_ACTIVATION_INIT;
  activation.size = size(sizeof activation);
  CALL_ON(comet_get_activation, on, of, level, at(activation));
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  info.size = size(sizeof info);
  CALL_ON(comet_thread_get, on, of, at(info));
}

}  // namespace fuzz
