// The handlers of the fast loop. Most come from operations.def; control flow stands here.
//
// With COMET_TAIL_CALLS each handler ends in a jump to the next one, which compilers make of a call in
// tail position when they optimise. Without it (no optimisation, sanitizers) a handler returns and
// run_fast calls the next.
#include "fast.h"

#include "arithmetic.h"
#include "little_endian.h"

#if defined(COMET_TAIL_CALLS) && defined(__clang__)
#define COMET_TAIL [[clang::musttail]] return
#else
#define COMET_TAIL return
#endif

#ifdef COMET_TAIL_CALLS
#define DISPATCH() COMET_TAIL pc->handler(pc, r, memory, context, limit)
#else
#define DISPATCH() \
  do { \
    context->pc = pc; \
    context->r = r; \
    context->limit = limit; \
    return; \
  } while (0)
#endif

#define HANDLER(name) \
  void name([[maybe_unused]] const Slot* pc, [[maybe_unused]] std::uint64_t* r, \
            [[maybe_unused]] std::uint8_t* memory, FastContext* context, [[maybe_unused]] std::intptr_t limit)

// Leaves the loop at slot `pc`.
#define LEAVE(reason) \
  do { \
    context->pc = pc; \
    context->r = r; \
    context->limit = limit; \
    context->exit = reason; \
    context->left = true; \
    return; \
  } while (0)

#define NEXT(slots) \
  do { \
    limit += static_cast<std::intptr_t>(((slots)-1) * sizeof(Slot)); \
    pc += (slots); \
    DISPATCH(); \
  } while (0)

// A taken branch: `limit` moves along, less the slot of the branch itself, which was executed.
#define GO(target_slot) \
  do { \
    const Slot* const target_ = (target_slot); \
    limit += reinterpret_cast<std::intptr_t>(target_) - reinterpret_cast<std::intptr_t>(pc + 1); \
    pc = target_; \
    if (reinterpret_cast<std::intptr_t>(pc) > limit) [[unlikely]] LEAVE(Exit::fuel); \
    DISPATCH(); \
  } while (0)

#define BRANCH_TARGET (reinterpret_cast<const Slot*>(reinterpret_cast<const char*>(pc) + pc->immediate))

// A jump to a guest address: straight on where that is decoded, else by way of the run loop.
#define GO_ADDRESS(guest_address) \
  do { \
    const std::uint64_t address_ = (guest_address); \
    if (const Slot* found_ = context->code->find(address_)) [[likely]] GO(found_); \
    context->address = address_; \
    ++pc; \
    LEAVE(Exit::address); \
  } while (0)

namespace comet {
namespace {

using namespace arithmetic;

// Whether all bytes are in one page of the window that allows it without asking.
inline bool direct(const FastContext* context, u64 address, unsigned size, std::uint8_t access) {
  return address < context->window_bytes && (address & page_mask) <= page_size - size &&
         (context->access[address >> page_bits] & access) != 0;
}

inline u64 sign_extended(std::int32_t immediate) { return static_cast<u64>(s64{immediate}); }

// Values are computed by these, so that each expression sees only its operands.
#define UNARY(name, result) inline u64 value_##name([[maybe_unused]] u64 b) { return static_cast<u64>(result); }
#define BINARY(name, result) inline u64 value_##name(u64 b, u64 c) { return static_cast<u64>(result); }
#define BINARY_IMMEDIATE(name, result) inline u64 value_##name(u64 b, u64 c) { return static_cast<u64>(result); }
#define MODIFY(name, result) inline u64 value_##name(u64 a, u64 b, u64 c) { return static_cast<u64>(result); }
#define CHECKED_UNARY(name, trap, result) \
  inline comet_trap trap_##name(u64 b) { return trap; } \
  inline u64 value_##name(u64 b) { return static_cast<u64>(result); }
#define CHECKED_BINARY(name, trap, result) \
  inline comet_trap trap_##name([[maybe_unused]] u64 b, u64 c) { return trap; } \
  inline u64 value_##name(u64 b, u64 c) { return static_cast<u64>(result); }
#define BRANCH(name, condition) inline bool taken_##name(u64 a, u64 b) { return condition; }
#define BRANCH_IMMEDIATE(name, condition) inline bool taken_##name(u64 a, u64 b) { return condition; }
#define LOAD(name, type)
#define STORE(name, type)
#define LOAD_INDEXED(name, type)
#define STORE_INDEXED(name, type)
#include "operations.def"
#undef UNARY
#undef BINARY
#undef BINARY_IMMEDIATE
#undef MODIFY
#undef CHECKED_UNARY
#undef CHECKED_BINARY
#undef BRANCH
#undef BRANCH_IMMEDIATE
#undef LOAD
#undef STORE
#undef LOAD_INDEXED
#undef STORE_INDEXED

#define UNARY(name, result) \
  HANDLER(do_##name) { \
    r[pc->a] = value_##name(r[pc->b]); \
    NEXT(1); \
  }
#define BINARY(name, result) \
  HANDLER(do_##name) { \
    r[pc->a] = value_##name(r[pc->b], r[pc->c]); \
    NEXT(1); \
  }
#define BINARY_IMMEDIATE(name, result) \
  HANDLER(do_##name) { \
    r[pc->a] = value_##name(r[pc->b], sign_extended(pc->immediate)); \
    NEXT(1); \
  } \
  HANDLER(wide_##name) { \
    r[pc->a] = value_##name(r[pc->b], pc[1].data); \
    NEXT(2); \
  }
#define MODIFY(name, result) \
  HANDLER(do_##name) { \
    r[pc->a] = value_##name(r[pc->a], r[pc->b], r[pc->c]); \
    NEXT(1); \
  }
#define CHECKED_UNARY(name, trap, result) \
  HANDLER(do_##name) { \
    if (trap_##name(r[pc->b]) != COMET_TRAP_NONE) [[unlikely]] LEAVE(Exit::reference); \
    r[pc->a] = value_##name(r[pc->b]); \
    NEXT(1); \
  }
#define CHECKED_BINARY(name, trap, result) \
  HANDLER(do_##name) { \
    if (trap_##name(r[pc->b], r[pc->c]) != COMET_TRAP_NONE) [[unlikely]] LEAVE(Exit::reference); \
    r[pc->a] = value_##name(r[pc->b], r[pc->c]); \
    NEXT(1); \
  }
#define BRANCH(name, condition) \
  HANDLER(do_##name) { \
    if (taken_##name(r[pc->a], r[pc->b])) GO(BRANCH_TARGET); \
    NEXT(1); \
  }
#define BRANCH_IMMEDIATE(name, condition) \
  HANDLER(do_##name) { \
    if (taken_##name(r[pc->a], sign_extended(static_cast<std::int16_t>(pc->b)))) GO(BRANCH_TARGET); \
    NEXT(1); \
  } \
  HANDLER(wide_##name) { \
    if (taken_##name(r[pc->a], pc[1].data)) GO(BRANCH_TARGET); \
    NEXT(2); \
  }
#define LOAD_FROM(name, type, address_expression) \
  HANDLER(do_##name) { \
    const u64 address = address_expression; \
    if (!direct(context, address, sizeof(type), access_load)) [[unlikely]] LEAVE(Exit::reference); \
    r[pc->a] = static_cast<u64>(load_little<type>(memory + address)); \
    NEXT(1); \
  }
#define STORE_TO(name, type, address_expression, value_register) \
  HANDLER(do_##name) { \
    const u64 address = address_expression; \
    if (!direct(context, address, sizeof(type), access_store)) [[unlikely]] LEAVE(Exit::reference); \
    store_little<type>(memory + address, static_cast<type>(r[value_register])); \
    NEXT(1); \
  }
#define LOAD(name, type) LOAD_FROM(name, type, r[pc->b] + sign_extended(pc->immediate))
#define LOAD_INDEXED(name, type) LOAD_FROM(name, type, r[pc->b] + r[pc->c] * sizeof(type))
#define STORE(name, type) STORE_TO(name, type, r[pc->a] + sign_extended(pc->immediate), pc->b)
#define STORE_INDEXED(name, type) STORE_TO(name, type, r[pc->a] + r[pc->b] * sizeof(type), pc->c)
#include "operations.def"
#undef UNARY
#undef BINARY
#undef MODIFY
#undef CHECKED_UNARY
#undef CHECKED_BINARY
#undef BRANCH
#undef LOAD
#undef STORE
#undef LOAD_INDEXED
#undef STORE_INDEXED
#undef BINARY_IMMEDIATE
#undef BRANCH_IMMEDIATE

HANDLER(do_nothing) { NEXT(1); }
HANDLER(do_constant) {
  r[pc->a] = sign_extended(pc->immediate);
  NEXT(1);
}
HANDLER(do_wide_constant) {
  r[pc->a] = pc[1].data;
  NEXT(2);
}
HANDLER(do_jump) { GO(BRANCH_TARGET); }
HANDLER(do_jal) {
  r[pc->a] = pc[1].data;
  GO(BRANCH_TARGET);
}
HANDLER(do_jumpr) { GO_ADDRESS(r[pc->a]); }
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
HANDLER(do_call) {
  u64* const window = r + pc->a;
  Activation* const top = context->top + 1;
  if (window > context->window_end || top >= context->activations_end) [[unlikely]] LEAVE(Exit::reference);
  top->return_slot = pc + 2;
  top->window = r;
  top->function = pc[1].data;
  context->top = top;
  r = window;
  r[0] = 0;
  GO(BRANCH_TARGET);
}
HANDLER(do_callr) {
  u64* const window = r + pc->a;
  Activation* const top = context->top + 1;
  if (window > context->window_end || top >= context->activations_end) [[unlikely]] LEAVE(Exit::reference);
  const u64 target = r[pc->b];
  top->return_slot = pc + 1;
  top->window = r;
  top->function = target;
  context->top = top;
  r = window;
  r[0] = 0;
  GO_ADDRESS(target);
}
HANDLER(do_ret) {
  Activation* const top = context->top;
  if (top->return_slot == nullptr) [[unlikely]] LEAVE(Exit::reference);
  context->top = top - 1;
  r = top->window;
  GO(top->return_slot);
}
HANDLER(do_tail) {
  context->top->function = pc[1].data;
  GO(BRANCH_TARGET);
}
HANDLER(do_tailr) {
  const u64 target = r[pc->a];
  context->top->function = target;
  GO_ADDRESS(target);
}
HANDLER(do_jtab) {
  const u64 index = r[pc->a];
  if (index >= pc[1].data) NEXT(3);
  const u64 entry = pc[2].data + 4 * index;
  if (!direct(context, entry, 4, access_load)) [[unlikely]] LEAVE(Exit::reference);
  GO_ADDRESS(pc[2].data + sign_extended(load_little<std::int32_t>(memory + entry)));
}
HANDLER(do_tget) {
  r[pc->a] = context->thread_registers[pc->b];
  NEXT(1);
}
HANDLER(do_tset) {
  context->thread_registers[pc->a] = r[pc->b];
  NEXT(1);
}

// These are not instructions: `limit` is moved so that they take no fuel.
HANDLER(do_far) {
  limit += static_cast<std::intptr_t>(sizeof(Slot));
  GO(pc[1].target);
}
HANDLER(do_resume) {
  // A return to a place that has no slot: the activation that was just left knows the address.
  limit += static_cast<std::intptr_t>(sizeof(Slot));
  GO_ADDRESS(context->top[1].return_address);
}
HANDLER(do_link) { LEAVE(Exit::link); }
HANDLER(do_reference) { LEAVE(Exit::reference); }
HANDLER(do_breakpoint) { LEAVE(Exit::breakpoint); }

} // namespace

void run_fast(const Slot* pc, std::uint64_t* r, std::uint8_t* memory, FastContext& context, std::uint64_t fuel) {
  context.left = false;
  const std::intptr_t limit = limit_for(pc, fuel);
#ifdef COMET_TAIL_CALLS
  pc->handler(pc, r, memory, &context, limit);
#else
  context.pc = pc;
  context.r = r;
  context.limit = limit;
  while (!context.left) context.pc->handler(context.pc, context.r, memory, &context, context.limit);
#endif
}

Handler fast_handler(isa::Operation operation, bool wide) {
  using namespace isa;
  switch (operation) {
#define REGULAR(name) \
  case op_##name: return wide ? nullptr : do_##name;
#define WITH_IMMEDIATE(name) \
  case op_##name: return wide ? wide_##name : do_##name;
#define UNARY(name, result) REGULAR(name)
#define BINARY(name, result) REGULAR(name)
#define BINARY_IMMEDIATE(name, result) WITH_IMMEDIATE(name)
#define MODIFY(name, result) REGULAR(name)
#define CHECKED_UNARY(name, trap, result) REGULAR(name)
#define CHECKED_BINARY(name, trap, result) REGULAR(name)
#define BRANCH(name, condition) REGULAR(name)
#define BRANCH_IMMEDIATE(name, condition) WITH_IMMEDIATE(name)
#define LOAD(name, type) REGULAR(name)
#define STORE(name, type) REGULAR(name)
#define LOAD_INDEXED(name, type) REGULAR(name)
#define STORE_INDEXED(name, type) REGULAR(name)
#include "operations.def"
    REGULAR(jump) REGULAR(jal) REGULAR(jumpr) REGULAR(jalr) REGULAR(brz) REGULAR(call) REGULAR(callr)
    REGULAR(ret) REGULAR(tail) REGULAR(tailr) REGULAR(jtab) REGULAR(tget) REGULAR(tset)
    default: return nullptr;
  }
}

namespace handlers {
Handler nothing() { return do_nothing; }
Handler constant() { return do_constant; }
Handler wide_constant() { return do_wide_constant; }
Handler reference() { return do_reference; }
Handler breakpoint() { return do_breakpoint; }
Handler link() { return do_link; }
Handler far() { return do_far; }
Handler resume() { return do_resume; }
Handler branch_if_zero_unlinked() { return do_brz_unlinked; }
} // namespace handlers

} // namespace comet
