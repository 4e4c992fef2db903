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
#define DISPATCH() COMET_TAIL pc->handler(pc, r, memory, context, limit, accumulator)
#else
#define DISPATCH() \
  do { \
    context->pc = pc; \
    context->r = r; \
    context->limit = limit; \
    context->accumulator = accumulator; \
    return; \
  } while (0)
#endif

#define STATE \
  [[maybe_unused]] const Slot *pc, [[maybe_unused]] std::uint64_t *r, [[maybe_unused]] std::uint8_t *memory, \
      FastContext *context, [[maybe_unused]] std::intptr_t limit, [[maybe_unused]] std::uint64_t accumulator
#define HANDLER(name) void name(STATE)

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

// A part is what one regular instruction does, without the way to the next one. `variant` says which of
// its operands are the accumulator: bit 0 the first, bit 1 the second, as accumulator.h numbers them.
// `execute` says whether the instruction was done; if not, nothing of it was.
#define OPERAND(bit, field) ((variant & (bit)) != 0 ? accumulator : r[pc->field])
#define PART(name, how_many) \
  template <unsigned variant> struct part_##name { \
    static constexpr Kind kind = Kind::straight; \
    static constexpr unsigned variants = how_many; \
    [[gnu::always_inline]] static bool execute([[maybe_unused]] const Slot* pc, u64* r, \
                                               [[maybe_unused]] std::uint8_t* memory, \
                                               [[maybe_unused]] const FastContext* context, u64& accumulator)
#define BRANCH_PART(name, how_many) \
  template <unsigned variant> struct part_##name { \
    static constexpr Kind kind = Kind::branch; \
    static constexpr unsigned variants = how_many; \
    [[gnu::always_inline]] static bool taken(const Slot* pc, const u64* r, [[maybe_unused]] u64 accumulator)
#define END_PART \
  } \
  ;
#define RESULT(value) \
  accumulator = (value); \
  r[pc->a] = accumulator; \
  return true

enum class Kind { straight, branch, jump, call, ret };

#define UNARY(name, result) \
  PART(name, 2) { RESULT(value_##name(OPERAND(1, b))); } \
  END_PART
#define BINARY(name, result) \
  PART(name, 4) { RESULT(value_##name(OPERAND(1, b), OPERAND(2, c))); } \
  END_PART
#define BINARY_IMMEDIATE(name, result) \
  PART(name, 2) { RESULT(value_##name(OPERAND(1, b), sign_extended(pc->immediate))); } \
  END_PART \
  HANDLER(wide_##name) { \
    accumulator = value_##name(r[pc->b], pc[1].data); \
    r[pc->a] = accumulator; \
    NEXT(2); \
  }
#define MODIFY(name, result) \
  PART(name, 4) { RESULT(value_##name(r[pc->a], OPERAND(1, b), OPERAND(2, c))); } \
  END_PART
#define CHECKED_UNARY(name, trap, result) \
  PART(name, 2) { \
    const u64 b = OPERAND(1, b); \
    if (trap_##name(b) != COMET_TRAP_NONE) [[unlikely]] return false; \
    RESULT(value_##name(b)); \
  } \
  END_PART
#define CHECKED_BINARY(name, trap, result) \
  PART(name, 4) { \
    const u64 b = OPERAND(1, b), c = OPERAND(2, c); \
    if (trap_##name(b, c) != COMET_TRAP_NONE) [[unlikely]] return false; \
    RESULT(value_##name(b, c)); \
  } \
  END_PART
#define BRANCH(name, condition) \
  BRANCH_PART(name, 4) { return taken_##name(OPERAND(1, a), OPERAND(2, b)); } \
  END_PART
#define BRANCH_IMMEDIATE(name, condition) \
  BRANCH_PART(name, 2) { return taken_##name(OPERAND(1, a), sign_extended(static_cast<std::int16_t>(pc->b))); } \
  END_PART \
  HANDLER(wide_##name) { \
    if (taken_##name(r[pc->a], pc[1].data)) GO(BRANCH_TARGET); \
    NEXT(2); \
  }
#define LOAD_PART(name, how_many, type, address_expression) \
  PART(name, how_many) { \
    const u64 address = address_expression; \
    if (!direct(context, address, sizeof(type), access_load)) [[unlikely]] return false; \
    RESULT(static_cast<u64>(load_little<type>(memory + address))); \
  } \
  END_PART
#define STORE_PART(name, type, address_expression, value) \
  PART(name, 4) { \
    const u64 address = address_expression; \
    if (!direct(context, address, sizeof(type), access_store)) [[unlikely]] return false; \
    store_little<type>(memory + address, static_cast<type>(value)); \
    return true; \
  } \
  END_PART
#define LOAD(name, type) LOAD_PART(name, 2, type, OPERAND(1, b) + sign_extended(pc->immediate))
#define LOAD_INDEXED(name, type) LOAD_PART(name, 4, type, OPERAND(1, b) + OPERAND(2, c) * sizeof(type))
#define STORE(name, type) STORE_PART(name, type, OPERAND(1, a) + sign_extended(pc->immediate), OPERAND(2, b))
#define STORE_INDEXED(name, type) STORE_PART(name, type, r[pc->a] + OPERAND(1, b) * sizeof(type), OPERAND(2, c))
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

// A constant that fits its slot, and the control flow that ends many runs of instructions.
PART(constant, 1) { RESULT(sign_extended(pc->immediate)); }
END_PART
template <unsigned> struct part_jump { static constexpr Kind kind = Kind::jump; };
template <unsigned> struct part_call { static constexpr Kind kind = Kind::call; };
template <unsigned> struct part_ret { static constexpr Kind kind = Kind::ret; };

// Does the parts one after the other, each from its own slot, and goes on behind the last. A part that
// cannot be done leaves the loop at its slot, when all before it are done and nothing else is.
template <class First, class... Rest> [[gnu::always_inline]] inline void run_parts(STATE) {
  if constexpr (First::kind == Kind::jump) {
    GO(BRANCH_TARGET);
  } else if constexpr (First::kind == Kind::call) {
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
  } else if constexpr (First::kind == Kind::ret) {
    Activation* const top = context->top;
    if (top->return_slot == nullptr) [[unlikely]] LEAVE(Exit::reference);
    context->top = top - 1;
    r = top->window;
    GO(top->return_slot);
  } else {
    if constexpr (First::kind == Kind::branch) {
      if (First::taken(pc, r, accumulator)) GO(BRANCH_TARGET);
    } else {
      if (!First::execute(pc, r, memory, context, accumulator)) [[unlikely]] LEAVE(Exit::reference);
    }
    if constexpr (sizeof...(Rest) == 0)
      NEXT(1);
    else
      COMET_TAIL run_parts<Rest...>(pc + 1, r, memory, context, limit, accumulator);
  }
}
template <class... Parts> HANDLER(run) { COMET_TAIL run_parts<Parts...>(pc, r, memory, context, limit, accumulator); }

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
HANDLER(do_defined) {
  context->defined = pc;
  context->defined_limit = limit;
  const std::uint16_t count = pc->b;
  for (unsigned i = 0; i < count; ++i) context->kept[i] = r[kept_register(pc, i)];
  // This slot and the parts take the fuel of one instruction.
  limit += static_cast<std::intptr_t>(pc->c * sizeof(Slot));
  NEXT(1 + (count + 3) / 4);
}
HANDLER(do_link) { LEAVE(Exit::link); }
HANDLER(do_reference) { LEAVE(Exit::reference); }
HANDLER(do_breakpoint) { LEAVE(Exit::breakpoint); }

} // namespace

void run_fast(const Slot* pc, std::uint64_t* r, std::uint8_t* memory, FastContext& context, std::uint64_t fuel) {
  context.left = false;
  const std::intptr_t limit = limit_for(pc, fuel);
#ifdef COMET_TAIL_CALLS
  pc->handler(pc, r, memory, &context, limit, 0); // no slot that is entered from outside reads it
#else
  context.pc = pc;
  context.r = r;
  context.limit = limit;
  context.accumulator = 0;
  while (!context.left)
    context.pc->handler(context.pc, context.r, memory, &context, context.limit, context.accumulator);
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
  if constexpr (Part<0>::variants == 4) {
    static constexpr Handler all[] = {run<Part<0>>, run<Part<1>>, run<Part<2>>, run<Part<3>>};
    return all[variant];
  } else {
    static constexpr Handler all[] = {run<Part<0>>, run<Part<1>>};
    return all[variant];
  }
}

} // namespace

Handler fast_handler(isa::Operation operation, unsigned variant) {
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
    case op_jump: return run<part_jump<0>>;
    case op_call: return run<part_call<0>>;
    case op_ret: return run<part_ret<0>>;
    case op_jal: return do_jal;
    case op_jumpr: return do_jumpr;
    case op_jalr: return do_jalr;
    case op_brz: return do_brz;
    case op_callr: return do_callr;
    case op_tail: return do_tail;
    case op_tailr: return do_tailr;
    case op_jtab: return do_jtab;
    case op_tget: return do_tget;
    case op_tset: return do_tset;
    default: return nullptr;
  }
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

namespace handlers {
Handler nothing() { return do_nothing; }
Handler constant() { return run<part_constant<0>>; }
Handler wide_constant() { return do_wide_constant; }
Handler reference() { return do_reference; }
Handler breakpoint() { return do_breakpoint; }
Handler defined() { return do_defined; }
Handler link() { return do_link; }
Handler far() { return do_far; }
Handler resume() { return do_resume; }
Handler branch_if_zero_unlinked() { return do_brz_unlinked; }
} // namespace handlers

} // namespace comet
