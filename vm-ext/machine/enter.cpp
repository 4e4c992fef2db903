// The way into the fast loop and out of it.
//
// Handlers return to nobody but run_fast, and never come back to one another. So those host registers that a function
// must keep for its caller are free for them: on x86-64 g++ is told so where it compiles them (HANDLER_FLAGS in
// build.mk), and they save none. That is why no other function may stand in their files.
#include "fast.h"

namespace comet {
namespace {

#ifdef COMET_TAIL_CALLS
[[gnu::noinline]] void enter(const Slot* pc, std::uint64_t* r, Activation* top, FastContext& context, std::intptr_t limit) {
  pc->handler(pc, r, top, &context, limit, 0); // no slot that is entered from outside reads the accumulator
#ifdef COMET_SCRATCH_REGISTERS
  asm volatile("" ::: "rbx", "r12", "r13", "r14", "r15"); // so this function saves them, and nothing else is in them
#endif
}
#endif

} // namespace

void run_fast(const Slot* pc, std::uint64_t* r, Activation* top, FastContext& context, std::uint64_t fuel) {
  context.left = false;
  const std::intptr_t limit = limit_for(pc, fuel);
#ifdef COMET_TAIL_CALLS
  enter(pc, r, top, context, limit);
#else
  context.pc = pc;
  context.r = r;
  context.top = top;
  context.limit = limit;
  context.accumulator = 0;
  while (!context.left)
    context.pc->handler(context.pc, context.r, context.top, &context, context.limit, context.accumulator);
#endif
  // Left within a user's instruction: back to where it begins.
  const Slot* const begin = context.defined;
  if (context.exit == Exit::reference && begin != nullptr && context.pc > begin && context.pc < begin + begin->a) {
    for (unsigned i = 0; i < begin->b; ++i) context.r[kept_register(begin, i)] = context.kept[i];
    context.pc = begin;
    context.limit = context.defined_limit;
  }
}

} // namespace comet
