// Parts: what one instruction does, and `run`, which makes a handler of one part or of several. Included by
// what makes handlers: fast.cpp those of single instructions, fused.cpp those of sequences.
//
// With COMET_TAIL_CALLS each handler ends in a jump to the next one, which compilers make of a call in
// tail position when they optimise. Without it (no optimisation, sanitizers) a handler returns and
// run_fast calls the next.
#pragma once

#include "arithmetic.h"
#include "fast.h"
#include "guest_access.h"

#if defined(COMET_TAIL_CALLS) && defined(__clang__)
#define COMET_TAIL [[clang::musttail]] return
#else
#define COMET_TAIL return
#endif

#ifdef COMET_TAIL_CALLS
#define DISPATCH() COMET_TAIL pc->handler(pc, r, top, context, limit, accumulator)
#else
#define DISPATCH() \
  do { \
    context->pc = pc; \
    context->r = r; \
    context->top = top; \
    context->limit = limit; \
    context->accumulator = accumulator; \
    return; \
  } while (0)
#endif

#define STATE \
  [[maybe_unused]] const Slot *pc, [[maybe_unused]] std::uint64_t *r, [[maybe_unused]] Activation *top, \
      FastContext *context, [[maybe_unused]] std::intptr_t limit, [[maybe_unused]] std::uint64_t accumulator
#define HANDLER(name) inline void name(STATE)

// Leaves the loop at slot `pc`.
#define LEAVE(reason) COMET_TAIL leave<reason>(pc, r, top, context, limit, accumulator)

#define NEXT(slots) \
  do { \
    limit += static_cast<std::intptr_t>(((slots)-1) * sizeof(Slot)); \
    pc += (slots); \
    DISPATCH(); \
  } while (0)

// Its value does not matter any more. Slots that are branched to need nothing of the accumulator, so its host
// register is free for what the branch itself needs.
#define FORGET(value) asm("" : "=r"(value))

// The value is in the host register where the next handler expects it. Without this compilers keep it elsewhere and
// move it at the end.
#if defined(COMET_TAIL_CALLS) && defined(__x86_64__)
#define SETTLE_TOP() asm("" : "+d"(top))
#else
#define SETTLE_TOP() static_cast<void>(0)
#endif

// A branch is taken when so many instructions were executed from the slot `pc` on: `limit` moves along, less their
// slots.
#define GO_AFTER(executed, target_slot) \
  do { \
    const Slot* const target_ = (target_slot); \
    limit += reinterpret_cast<std::intptr_t>(target_) - reinterpret_cast<std::intptr_t>(pc + (executed)); \
    pc = target_; \
    FORGET(accumulator); \
    if (reinterpret_cast<std::intptr_t>(pc) > limit) [[unlikely]] LEAVE(Exit::fuel); \
    DISPATCH(); \
  } while (0)

#define GO(target_slot) GO_AFTER(1, target_slot)

#define BRANCH_TARGET (reinterpret_cast<const Slot*>(reinterpret_cast<const char*>(pc) + pc->immediate))

// A jump to a guest address: straight on where that is decoded, else by way of the run loop.
#define GO_ADDRESS(guest_address) \
  do { \
    const std::uint64_t address_ = (guest_address); \
    if (const Slot* found_ = context->find(address_)) [[likely]] GO(found_); \
    context->address = address_; \
    ++pc; \
    LEAVE(Exit::address); \
  } while (0)

namespace comet {
namespace {

using namespace arithmetic;

// Apart, so that handlers stay small.
template <Exit reason> [[gnu::noinline, gnu::cold]] void leave(STATE) {
  context->pc = pc;
  context->r = r;
  context->top = top;
  context->limit = limit;
  context->exit = reason;
  context->left = true;
}

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

// A part is what one regular instruction does, without the way to the next one. `variant` says which of
// its operands are the accumulator: bit 0 the first, bit 1 the second, as accumulator.h numbers them.
// `execute` says whether the instruction was done; if not, nothing of it was.
#define OPERAND(bit, field) ((variant & (bit)) != 0 ? accumulator : r[pc->field])
#define PART(name, how_many) \
  template <unsigned variant> struct part_##name { \
    static constexpr PartKey key = part_key(isa::op_##name, variant); \
    static constexpr Kind kind = Kind::straight; \
    static constexpr unsigned variants = how_many; \
    [[gnu::always_inline]] static bool execute([[maybe_unused]] const Slot* pc, u64* r, \
                                               [[maybe_unused]] FastContext* context, \
                                               [[maybe_unused]] u64& accumulator)
#define BRANCH_PART(name, how_many) \
  template <unsigned variant> struct part_##name { \
    static constexpr PartKey key = part_key(isa::op_##name, variant); \
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

enum class Kind { straight, branch, table, jump, jumpr, call, callr, early_call, tail, tailr, ret };

// A call of a function that begins with a branch to its `ret` (CodeCache::look_into_callee). The operands of the
// branch are in the second slot; the first may be in the accumulator, where it is the argument that was written last.
#define EARLY_CALL(name) \
  template <unsigned variant> struct part_call_##name { \
    static constexpr PartKey key = early_call_key(isa::op_##name, variant); \
    static constexpr Kind kind = Kind::early_call; \
    static bool returns(const Slot* pc, const u64* window, u64 accumulator) { \
      return part_##name<variant>::taken(pc + 1, window, accumulator); \
    } \
  };

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
  END_PART \
  EARLY_CALL(name)
#define BRANCH_IMMEDIATE(name, condition) \
  BRANCH_PART(name, 2) { return taken_##name(OPERAND(1, a), sign_extended(static_cast<std::int16_t>(pc->b))); } \
  END_PART \
  EARLY_CALL(name) \
  HANDLER(wide_##name) { \
    if (taken_##name(r[pc->a], pc[1].data)) GO(BRANCH_TARGET); \
    NEXT(2); \
  }
#define LOAD_PART(name, how_many, type, address_expression) \
  PART(name, how_many) { \
    const u64 address = address_expression; \
    if (!direct(context, address, sizeof(type), access_load)) [[unlikely]] return false; \
    RESULT(static_cast<u64>(load_guest<type>(context->memory + address))); \
  } \
  END_PART
#define STORE_PART(name, type, address_expression, value) \
  PART(name, 4) { \
    const u64 address = address_expression; \
    if (!direct(context, address, sizeof(type), access_store)) [[unlikely]] return false; \
    store_guest<type>(context->memory + address, static_cast<type>(value)); \
    return true; \
  } \
  END_PART
#define LOAD(name, type) \
  LOAD_PART(name, 2, type, OPERAND(1, b) + sign_extended(pc->immediate)) \
  HANDLER(wide_##name) { \
    const u64 address = r[pc->b] + pc[1].data; \
    if (!direct(context, address, sizeof(type), access_load)) [[unlikely]] LEAVE(Exit::reference); \
    accumulator = static_cast<u64>(load_guest<type>(context->memory + address)); \
    r[pc->a] = accumulator; \
    NEXT(2); \
  }
#define LOAD_INDEXED(name, type) LOAD_PART(name, 4, type, OPERAND(1, b) + OPERAND(2, c) * sizeof(type))
#define STORE(name, type) \
  STORE_PART(name, type, OPERAND(1, a) + sign_extended(pc->immediate), OPERAND(2, b)) \
  HANDLER(wide_##name) { \
    const u64 address = r[pc->a] + pc[1].data; \
    if (!direct(context, address, sizeof(type), access_store)) [[unlikely]] LEAVE(Exit::reference); \
    store_guest<type>(context->memory + address, static_cast<type>(r[pc->b])); \
    NEXT(2); \
  }
#define STORE_INDEXED(name, type) STORE_PART(name, type, r[pc->a] + OPERAND(1, b) * sizeof(type), OPERAND(2, c))
#include "operations.def"

// A constant that fits its slot, and the control flow that ends many runs of instructions.
PART(imm, 1) { RESULT(sign_extended(pc->immediate)); }
END_PART
PART(tget, 1) { RESULT(context->thread_registers[pc->b]); }
END_PART
PART(tset, 1) {
  context->thread_registers[pc->a] = r[pc->b];
  return true;
}
END_PART
#define LAST_PART(name) \
  template <unsigned> struct part_##name { \
    static constexpr PartKey key = part_key(isa::op_##name, 0); \
    static constexpr Kind kind = Kind::name; \
  };
// A jump by a table of distances that was decoded with it: an entry's slot knows the distance to where it leads.
template <unsigned variant> struct part_jtab {
  static constexpr PartKey key = part_key(isa::op_jtab, variant);
  static constexpr Kind kind = Kind::table;
  static constexpr unsigned variants = 2;
  [[gnu::always_inline]] static u64 index(const Slot* pc, const u64* r, [[maybe_unused]] u64 accumulator) {
    return OPERAND(1, a);
  }
};
LAST_PART(jump)
LAST_PART(jumpr)
LAST_PART(call)
LAST_PART(callr)
LAST_PART(tail)
LAST_PART(tailr)
LAST_PART(ret)

// Does the parts one after the other, each from its own slot, and goes on behind the last. A part that
// cannot be done leaves the loop at its slot, when all before it are done and nothing else is.
template <class First, class... Rest> [[gnu::always_inline]] inline void run_parts(STATE) {
  if constexpr (First::kind == Kind::jump) {
    GO(BRANCH_TARGET);
  } else if constexpr (First::kind == Kind::jumpr) {
    GO_ADDRESS(r[pc->a]);
  } else if constexpr (First::kind == Kind::call || First::kind == Kind::callr || First::kind == Kind::early_call) {
    constexpr bool direct = First::kind != Kind::callr, early = First::kind == Kind::early_call;
    u64* const window = r + pc->a;
    if (window > context->window_end || top >= context->last_activation) [[unlikely]] LEAVE(Exit::reference);
    if constexpr (early) {
      window[0] = 0;
      if (First::returns(pc, window, accumulator)) {
        // Call, branch and ret: three instructions, two slots.
        limit -= static_cast<std::intptr_t>(sizeof(Slot));
        pc += 2;
        if constexpr (sizeof...(Rest) == 0)
          DISPATCH();
        else
          COMET_TAIL run_parts<Rest...>(pc, r, top, context, limit, accumulator);
      }
    }
    ++top;
    SETTLE_TOP();
    top->window = r;
    const u64 function = direct ? pc[1].data : r[pc->b];
    top->function = function;
    top->return_slot = pc + (direct ? 2 : 1);
    r = window;
    if constexpr (!early) r[0] = 0;
    if constexpr (direct)
      GO_AFTER(early ? 2 : 1, BRANCH_TARGET);
    else
      GO_ADDRESS(function);
  } else if constexpr (First::kind == Kind::tail) {
    top->function = pc[1].data;
    GO(BRANCH_TARGET);
  } else if constexpr (First::kind == Kind::tailr) {
    const u64 function = r[pc->a];
    top->function = function;
    GO_ADDRESS(function);
  } else if constexpr (First::kind == Kind::ret) {
    // beyond tests: not every sequence with `ret` ends an outermost activation
    if (top->return_slot == nullptr) [[unlikely]] LEAVE(Exit::reference);
    r = top->window;
    --top;
    GO(top[1].return_slot);
  } else if constexpr (First::kind == Kind::table) {
    const u64 index = First::index(pc, r, accumulator);
    if (index < pc[1].data) {
      // The table is as it was decoded, but that it is read may have to be seen.
      if ((context->access[pc[1].immediate] & access_load) == 0) [[unlikely]] LEAVE(Exit::reference);
      const Slot* const entry = BRANCH_TARGET + index;
      GO(reinterpret_cast<const Slot*>(reinterpret_cast<const char*>(entry) + entry->immediate));
    }
    limit += static_cast<std::intptr_t>(sizeof(Slot));
    pc += 2;
    if constexpr (sizeof...(Rest) == 0)
      DISPATCH();
    else
      COMET_TAIL run_parts<Rest...>(pc, r, top, context, limit, accumulator);
  } else {
    if constexpr (First::kind == Kind::branch) {
      if (First::taken(pc, r, accumulator)) GO(BRANCH_TARGET);
    } else {
      if (!First::execute(pc, r, context, accumulator)) [[unlikely]] LEAVE(Exit::reference);
    }
    if constexpr (sizeof...(Rest) == 0)
      NEXT(1);
    else
      COMET_TAIL run_parts<Rest...>(pc + 1, r, top, context, limit, accumulator);
  }
}
template <class... Parts> HANDLER(run) { COMET_TAIL run_parts<Parts...>(pc, r, top, context, limit, accumulator); }

} // namespace
} // namespace comet
