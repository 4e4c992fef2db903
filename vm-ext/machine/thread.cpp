#include "thread.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

namespace comet {

constexpr std::uint64_t window_step = 4096;

Thread::Thread(const comet_config& config, const HostMemory& memory, comet_space space_id, std::uint64_t start)
    : space(space_id),
      pc(start),
      registers(config.register_limit + register_slack, memory),
      activations(std::max<std::uint64_t>(config.call_depth_limit, 1), memory),
      register_limit(config.register_limit) {
  if (!registers || !activations) throw std::bad_alloc();
  activations_end = activations.data() + activations.size();
  restart(start);
}

void Thread::restart(std::uint64_t start) {
  pc = start;
  instruction_count = 0;
  registers.clear();
  window = registers.data();
  window_bound = touched = 0;
  thread_registers.fill(0);
  top = activations.data();
  *top = Activation{nullptr, nullptr, start, 0};
  pending_call.reset();
  failed_call.reset();
  served_hit.reset();
  status = {};
  waits_since = caught = 0;
  timers_due.clear();
}

void Thread::end(std::uint64_t result) {
  const std::uint64_t count = instruction_count;
  const bool spawned = status.spawned;
  restart(pc);
  instruction_count = count;
  status.spawned = spawned;
  status.result = result;
}

std::uint64_t* Thread::window_at(std::uint64_t level) const {
  return level == 0 ? window : (top - (level - 1))->window;
}

std::uint64_t* Thread::register_at(std::uint64_t level, std::uint64_t index) const {
  if (level >= depth()) return nullptr;
  std::uint64_t* const base = window_at(level);
  return index < register_count() - static_cast<std::uint64_t>(base - registers.data()) ? base + index : nullptr;
}

std::uint64_t Thread::common_window_step() const {
  std::uint64_t step = window_index();
  for (const Activation* activation = activations.data() + 1; activation <= top; ++activation)
    step = std::gcd(step, static_cast<std::uint64_t>(activation->window - registers.data()));
  return step;
}

void Thread::raise_window_bound(std::uint64_t index) {
  if (index > window_bound) window_bound = std::min(register_limit, index + window_step);
}

std::uint64_t Thread::used_registers(std::uint64_t highest) const {
  std::uint64_t bound = std::min<std::uint64_t>(register_count(), std::max(touched, window_bound + highest + 1));
  const auto all_zero = [this](std::uint64_t from, std::uint64_t count) { // each as the one before it
    const std::uint64_t* const first = registers.data() + from;
    return *first == 0 && std::memcmp(first, first + 1, (count - 1) * sizeof *first) == 0;
  };
  constexpr std::uint64_t many = 256; // most registers are 0, so they are looked at by many
  while (bound >= many && all_zero(bound - many, many)) bound -= many;
  while (bound != 0 && registers.data()[bound - 1] == 0) --bound;
  touched = bound;
  window_bound = std::min(window_bound, window_index() + window_step);
  return bound;
}

} // namespace comet
