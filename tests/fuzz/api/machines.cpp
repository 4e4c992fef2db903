// Machines and their limits.
#include <cstdlib>

#include "call.h"

namespace fuzz {

// Gives memory that is full of what nobody may look at, and of something else each time.
comet_allocator api_calls::allocator() {
  comet_allocator made = COMET_ALLOCATOR_INIT;
  made.size = size(sizeof made);
  made.allocate = [](void* data, std::size_t length) -> void* {
    static int rubbish = 0;
    void* const memory = length > std::size_t{1} << 24 ? nullptr : std::malloc(length);
    if (memory == nullptr) return nullptr;
    static_cast<api_calls*>(data)->taken_ += length;
    return std::memset(memory, ++rubbish, length);
  };
  made.release = [](void* data, void* memory, std::size_t length) {
    static_cast<api_calls*>(data)->taken_ -= length;
    std::free(memory);
  };
  made.data = this;
  return made;
}

void api_calls::make_machine() {
  machine& which = any();
  if (which.made != nullptr) return;
  comet_config config = COMET_CONFIG_INIT;
  config.window =
      random_.one_of({0, COMET_PAGE_SIZE, 1 << 20, std::uint64_t{1} << 32, std::uint64_t{1} << 33});
  config.memory_limit = memory_limit;
  config.register_limit = random_.one_in(10) ? random_.below(40) : 1 << 12;
  config.call_depth_limit = 1 + random_.below(200);
  config.thread_limit = 1 + random_.below(6);
  if (random_.one_in(8)) (random_.one_in(2) ? config.window : config.call_depth_limit) = UINT64_MAX;
  const comet_allocator own = allocator();
  const comet_status status = random_.one_in(4) ? CALL(comet_machine_new_with, &config, &own, &which.made)
                                                : CALL(comet_machine_new, &config, &which.made);
  if (status == COMET_OK) ready(which.made);
}

// Nothing that would make two runs differ.
void api_calls::ready(comet_machine* machine) {
  comet_set_random_seed(machine, random_.word());
  comet_set_log(machine, hear, this);
  comet_set_poll(machine, count_poll, this);
  for (unsigned stream = 0; stream < 3; ++stream)
    comet_set_stream(machine, stream, COMET_STREAM_NONE, nullptr);
  comet_host_grant(machine, "call", serve, this, nullptr);
  comet_host_grant(machine, "quiet", serve_quietly, nullptr, nullptr);
  comet_host_grant(machine, "ask", nullptr, nullptr, nullptr);
}

void api_calls::free_machine(machine& which) {
  if (traced_ && which.made != nullptr) std::cerr << std::string(2 * depth_, ' ') << "comet_machine_free\n";
  comet_machine* const gone = which.made;
  which = {};
  comet_machine_free(gone);
}

void api_calls::reset() {
  machine& which = any();
  if (CALL_ON(comet_machine_reset, which.made) != COMET_OK) return;
  which.snapshots.clear();
  comet_set_random_seed(which.made, random_.word());
}

void api_calls::limits() {
  comet_machine* const on = any_made();
  comet_limits limits = COMET_LIMITS_INIT;
  limits.size = size(sizeof limits);
  CALL_ON(comet_get_limits, on, at(limits));
  limits = COMET_LIMITS_INIT;
  limits.size = random_.one_in(12) ? 0 : sizeof limits;
  limits.memory = random_.one_in(4) ? random_.below(memory_limit) : memory_limit;
  limits.registers = random_.one_in(8) ? UINT64_MAX : random_.below(1 << 13);
  limits.call_depth = random_.one_in(8) ? UINT64_MAX : random_.below(300);
  limits.output = random_.one_in(2) ? COMET_UNLIMITED : random_.below(100);
  limits.stop_for_memory = static_cast<int>(random_.below(2));
  CALL_ON(comet_set_limits, on, &limits);
}

}  // namespace fuzz
