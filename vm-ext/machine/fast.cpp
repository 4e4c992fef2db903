// The handlers of single instructions, and the way into the loop.
#include <array>

#include "parts.h"

namespace comet {
namespace {

// The number of a register that is kept: four stand in each slot behind the one that begins the instruction.
inline std::uint16_t kept_register(const Slot* begin, unsigned i) {
  return static_cast<std::uint16_t>(begin[1 + i / 4].data >> (16 * (i % 4)));
}

HANDLER(do_nothing) { NEXT(1); }
HANDLER(do_wide_constant) {
  accumulator = pc[1].data;
  r[pc->a] = accumulator;
  NEXT(2);
}
HANDLER(do_jal) {
  r[pc->a] = pc[1].data;
  GO(BRANCH_TARGET);
}
HANDLER(do_jalr) {
  const u64 target = r[pc->b];
  r[pc->a] = pc[1].data;
  GO_ADDRESS(target);
}
HANDLER(do_brz) {
  const u64 target = r[pc->c];
  const bool taken = r[pc->b] == 0;
  r[pc->a] = pc[1].data;
  if (taken) GO_ADDRESS(target);
  NEXT(2);
}
HANDLER(do_brz_unlinked) {
  if (r[pc->b] == 0) GO_ADDRESS(r[pc->c]);
  NEXT(2);
}
HANDLER(do_jtab) {
  const u64 index = r[pc->a];
  if (index >= pc[1].data) NEXT(3);
  const u64 entry = pc[2].data + 4 * index;
  if (!direct(context, entry, 4, access_load)) [[unlikely]] LEAVE(Exit::reference);
  GO_ADDRESS(pc[2].data + sign_extended(load_little<std::int32_t>(context->memory() + entry)));
}

// These are not instructions: `limit` is moved so that they take no fuel.
HANDLER(do_far) {
  limit += static_cast<std::intptr_t>(sizeof(Slot));
  GO(pc[1].target);
}
HANDLER(do_resume) {
  // A return to a place that has no slot: the activation that was just left knows the address.
  limit += static_cast<std::intptr_t>(sizeof(Slot));
  GO_ADDRESS(top[1].return_address);
}
HANDLER(do_defined) {
  context->defined = pc;
  context->defined_limit = limit;
  const std::uint16_t count = pc->b;
  for (unsigned i = 0; i < count; ++i) context->kept[i] = r[kept_register(pc, i)];
  // This slot and the parts take the fuel of one instruction.
  limit += static_cast<std::intptr_t>(pc->c * sizeof(Slot));
  NEXT(1 + (count + 3) / 4);
}
HANDLER(do_check) {
  const u64* const written = r + pc->a;
  for (std::size_t i = 0; i < context->place_count; ++i)
    if (context->places[i] == written) LEAVE(Exit::reference);
  limit += static_cast<std::intptr_t>(sizeof(Slot)); // takes no fuel
  NEXT(1);
}
HANDLER(do_link) { LEAVE(Exit::link); }
HANDLER(do_reference) { LEAVE(Exit::reference); }
HANDLER(do_breakpoint) { LEAVE(Exit::breakpoint); }

} // namespace

void run_fast(const Slot* pc, std::uint64_t* r, Activation* top, FastContext& context, std::uint64_t fuel) {
  context.left = false;
  const std::intptr_t limit = limit_for(pc, fuel);
#ifdef COMET_TAIL_CALLS
  pc->handler(pc, r, top, &context, limit, 0); // no slot that is entered from outside reads it
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

template <template <unsigned> class Part> Handler variant_of(unsigned variant) {
  if (variant >= Part<0>::variants) return nullptr;
  if constexpr (Part<0>::variants == 4) {
    static constexpr Handler all[] = {run<Part<0>>, run<Part<1>>, run<Part<2>>, run<Part<3>>};
    return all[variant];
  } else {
    static constexpr Handler all[] = {run<Part<0>>, run<Part<1>>};
    return all[variant];
  }
}

Handler choose_handler(isa::Operation operation, unsigned variant) {
  using namespace isa;
  switch (operation) {
#define REGULAR(name) \
  case op_##name: return variant_of<part_##name>(variant);
#define UNARY(name, result) REGULAR(name)
#define BINARY(name, result) REGULAR(name)
#define BINARY_IMMEDIATE(name, result) REGULAR(name)
#define MODIFY(name, result) REGULAR(name)
#define CHECKED_UNARY(name, trap, result) REGULAR(name)
#define CHECKED_BINARY(name, trap, result) REGULAR(name)
#define BRANCH(name, condition) REGULAR(name)
#define BRANCH_IMMEDIATE(name, condition) REGULAR(name)
#define LOAD(name, type) REGULAR(name)
#define STORE(name, type) REGULAR(name)
#define LOAD_INDEXED(name, type) REGULAR(name)
#define STORE_INDEXED(name, type) REGULAR(name)
#include "operations.def"
    case op_jump: return run<part_jump<0>>;
    case op_call: return run<part_call<0>>;
    case op_ret: return run<part_ret<0>>;
    case op_jal: return do_jal;
    case op_jumpr: return run<part_jumpr<0>>;
    case op_jalr: return do_jalr;
    case op_brz: return do_brz;
    case op_callr: return run<part_callr<0>>;
    case op_tail: return run<part_tail<0>>;
    case op_tailr: return run<part_tailr<0>>;
    case op_jtab: return do_jtab;
    case op_tget: return run<part_tget<0>>;
    case op_tset: return run<part_tset<0>>;
    default: return nullptr;
  }
}

} // namespace

Handler fast_handler(isa::Operation operation, unsigned variant) {
  // The last is for what is no operation: it has none.
  static const auto all = [] {
    std::array<std::array<Handler, 4>, isa::operation_count + 1> handlers{};
    for (std::size_t n = 0; n < isa::operation_count; ++n)
      for (unsigned i = 0; i < 4; ++i) handlers[n][i] = choose_handler(static_cast<isa::Operation>(n), i);
    return handlers;
  }();
  return all[operation][variant];
}

Handler wide_handler(isa::Operation operation) {
  using namespace isa;
  switch (operation) {
#define WITH_IMMEDIATE(name) \
  case op_##name: return wide_##name;
#define UNARY(name, result)
#define BINARY(name, result)
#define BINARY_IMMEDIATE(name, result) WITH_IMMEDIATE(name)
#define MODIFY(name, result)
#define CHECKED_UNARY(name, trap, result)
#define CHECKED_BINARY(name, trap, result)
#define BRANCH(name, condition)
#define BRANCH_IMMEDIATE(name, condition) WITH_IMMEDIATE(name)
#define LOAD(name, type)
#define STORE(name, type)
#define LOAD_INDEXED(name, type)
#define STORE_INDEXED(name, type)
#include "operations.def"
    default: return nullptr;
  }
}

Handler early_call_handler(isa::Operation branch) {
  using namespace isa;
  switch (branch) {
#define EARLY(name) \
  case op_##name: return run<part_call_##name<0>>;
#define UNARY(name, result)
#define BINARY(name, result)
#define BINARY_IMMEDIATE(name, result)
#define MODIFY(name, result)
#define CHECKED_UNARY(name, trap, result)
#define CHECKED_BINARY(name, trap, result)
#define BRANCH(name, condition) EARLY(name)
#define BRANCH_IMMEDIATE(name, condition) EARLY(name)
#define LOAD(name, type)
#define STORE(name, type)
#define LOAD_INDEXED(name, type)
#define STORE_INDEXED(name, type)
#include "operations.def"
    default: return nullptr;
  }
}

namespace handlers {
Handler nothing() { return do_nothing; }
Handler constant() { return run<part_imm<0>>; }
Handler wide_constant() { return do_wide_constant; }
Handler reference() { return do_reference; }
Handler breakpoint() { return do_breakpoint; }
Handler defined() { return do_defined; }
Handler check() { return do_check; }
Handler link() { return do_link; }
Handler far() { return do_far; }
Handler resume() { return do_resume; }
Handler branch_if_zero_unlinked() { return do_brz_unlinked; }
} // namespace handlers

} // namespace comet
