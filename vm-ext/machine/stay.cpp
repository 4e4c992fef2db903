#include "stay.h"

#include <algorithm>

namespace comet {

FastContext fast_context(const Space& space, Thread& thread) {
  FastContext context{};
  context.window_bytes = space.memory.window_bytes();
  context.access = space.memory.access();
  context.memory = space.memory.window();
  context.last_activation = thread.activations_end - 1;
  context.window_end = thread.registers.data() + thread.window_bound;
  context.thread_registers = thread.thread_registers.data();
  context.code = &space.code;
  context.page = space.code.last_found();
  return context;
}

void settle(Thread& thread, const Space& space, const FastContext& context) {
  thread.window = context.r;
  thread.top = context.top;
  if (context.exit == Exit::address) thread.pc = context.address;
  // The fuel ended at a return; no block holds this slot.
  else if (context.pc == CodeCache::resume_slot()) thread.pc = context.top[1].return_address;
  else thread.pc = space.code.address_of(context.pc);
}

#ifndef COMET_REFERENCE_ONLY

namespace {

// Instructions between two looks at whether to hold: some microseconds.
constexpr std::uint64_t between_holds = 8192;
// Such looks between two at the clock.
constexpr unsigned between_times = 8;

} // namespace

void Stay::begin(Thread& thread, Space& space, std::uint64_t fuel) {
  thread_ = &thread;
  space_ = &space;
  fuel_ = fuel;
  executed_ = 0;
  slot_ = space.code.slot_at(thread.pc);
  context_ = fast_context(space, thread);
  context_.r = thread.window;
  context_.top = thread.top;
}

void Stay::run(const std::atomic<bool>& hold, std::uint64_t latest) noexcept {
  unsigned looks = 0;
  do {
    if (latest != UINT64_MAX && ++looks % between_times == 0 && monotonic_now() >= latest) return;
    const std::uint64_t part = std::min(fuel_ - executed_, between_holds);
    run_fast(slot_, context_.r, context_.top, context_, part);
    executed_ += part - fuel_left(context_.pc, context_.limit);
    slot_ = context_.pc;
  } while (context_.exit == Exit::fuel && fuel_ - executed_ >= fast_margin && !hold.load(std::memory_order_relaxed));
}

std::uint64_t Stay::end() noexcept {
  settle(*thread_, *space_, context_);
  thread_->instruction_count += executed_;
  thread_->step_due = context_.exit == Exit::reference || context_.exit == Exit::breakpoint;
  return executed_;
}

void Stay::resolve_link() {
  // beyond tests: another thread may have come to the same link, and filled the slots
  if (context_.exit == Exit::link && context_.pc->handler == handlers::link && !space_->code.overfull())
    space_->code.follow_link(context_.pc);
}

#endif

} // namespace comet
