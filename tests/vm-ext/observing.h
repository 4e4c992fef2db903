// Runs whose instructions are told as events.
#pragma once

#include <utility>
#include <vector>

#include "support.h"

namespace support {

// An observation with room for its arrays.
struct observing {
  explicit observing(std::vector<comet_filter> wanted, std::size_t capacity = 64, std::uint64_t stop_at = 0)
      : filters(std::move(wanted)), events(capacity) {
    value.filters = filters.data();
    value.filter_count = filters.size();
    value.events = events.data();
    value.capacity = capacity;
    value.stop_at = stop_at;
  }
  comet_stop run(const machine& vm, std::uint64_t fuel = plenty, comet_thread thread = 0) {
    comet_stop stop = COMET_STOP_INIT;
    SUPPORT_OK(comet_observe(vm, thread, fuel, &value, &stop, error));
    return stop;
  }
  std::vector<comet_filter> filters;
  std::vector<comet_event> events;
  comet_observation value = COMET_OBSERVATION_INIT;
};

}  // namespace support
