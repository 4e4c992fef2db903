// The way into the fast loop and out of it, and the choice of a fused handler.
//
// Handlers return to nobody but run_fast, and never come back to one another. So those host registers that a function
// must keep for its caller are free for them: on x86-64 g++ is told so where it compiles them (HANDLER_FLAGS in
// build.mk), and they save none. That is why no other function may stand in their files.
#include <algorithm>
#include <array>
#include <vector>

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

namespace {

// All fused handlers by their first two parts, the longest first.
class Table {
 public:
  Table() {
    for (const FusedHandler& each : fused_handlers) all_.push_back(&each);
    std::sort(all_.begin(), all_.end(), [](const FusedHandler* x, const FusedHandler* y) {
      if (x->keys[0] != y->keys[0]) return x->keys[0] < y->keys[0];
      return x->keys[1] != y->keys[1] ? x->keys[1] < y->keys[1] : x->length > y->length;
    });
    std::size_t place = 0;
    for (std::size_t key = 0; key < begin_.size(); ++key) {
      while (place < all_.size() && all_[place]->keys[0] < key) ++place;
      begin_[key] = static_cast<std::uint16_t>(place);
    }
  }

  Handler find(const PartKey* keys, std::size_t count) const {
    const auto end = all_.begin() + begin_[keys[0] + 1u];
    auto each = std::lower_bound(all_.begin() + begin_[keys[0]], end, keys[1],
                                 [](const FusedHandler* fused, PartKey second) { return fused->keys[1] < second; });
    for (; each != end && (*each)->keys[1] == keys[1]; ++each) {
      const FusedHandler& fused = **each;
      if (fused.length <= count && std::equal(keys + 2, keys + fused.length, fused.keys.begin() + 2)) return fused.handler;
    }
    return nullptr;
  }

 private:
  std::vector<const FusedHandler*> all_;
  std::array<std::uint16_t, part_keys + 1> begin_;
};

} // namespace

Handler fused_handler(const PartKey* keys, std::size_t count) {
  static const Table table;
  return table.find(keys, count);
}

} // namespace comet
