// The handlers of single instructions. This file, as fused.cpp, holds handlers and tables of them and nothing else that
// could be called: see enter.cpp.
#include "../isa/layout.h"
#include "atomic_access.h"
#include "parts.h"

namespace comet {

namespace handlers {

void nothing(STATE) { NEXT(1); }
void constant(STATE) { COMET_TAIL run_parts<part_imm<0>>(pc, r, top, context, limit, accumulator); }
void wide_constant(STATE) {
  accumulator = pc[1].data;
  r[pc->a] = accumulator;
  NEXT(2);
}
void branch_if_zero_unlinked(STATE) {
  if (r[pc->b] == 0) GO_ADDRESS(r[pc->c]);
  NEXT(2);
}

// These are not instructions: `limit` is moved so that they take no fuel.
void far(STATE) {
  limit += static_cast<std::intptr_t>(sizeof(Slot));
  GO(BRANCH_TARGET);
}
void resume(STATE) {
  // A return to a place that has no slot: the activation that was just left knows the address.
  limit += static_cast<std::intptr_t>(sizeof(Slot));
  // beyond tests: whether there is fuel was looked at by the return
  GO_ADDRESS(top[1].return_address);
}
void defined(STATE) {
  context->defined = pc;
  context->defined_limit = limit;
  const std::uint16_t count = pc->b;
  for (unsigned i = 0; i < count; ++i) context->kept[i] = r[kept_register(pc, i)];
  // This slot and the parts take the fuel of one instruction.
  limit += static_cast<std::intptr_t>(pc->c * sizeof(Slot));
  NEXT(1 + (count + 3) / 4);
}
void check(STATE) {
  const u64* const written = r + pc->a;
  for (std::size_t i = 0; i < context->place_count; ++i)
    if (context->places[i] == written) LEAVE(Exit::reference);
  limit += static_cast<std::intptr_t>(sizeof(Slot)); // takes no fuel
  NEXT(1);
}
void link(STATE) { LEAVE(Exit::link); }
void reference(STATE) { LEAVE(Exit::reference); }
void breakpoint(STATE) { LEAVE(Exit::breakpoint); }

} // namespace handlers

namespace {

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
// By a table that may change at any time, or is large.
HANDLER(wide_jtab) {
  const u64 index = r[pc->a];
  if (index >= pc[1].data) NEXT(3);
  const u64 entry = pc[2].data + 4 * index;
  if (!direct(context, entry, 4, access_load)) [[unlikely]] LEAVE(Exit::reference);
  GO_ADDRESS(pc[2].data + sign_extended(load_guest<std::int32_t>(context->memory + entry)));
}

// An atomic access is where it is a multiple of its size, so within a page.
#define ATOMIC_HANDLER(name, type, address_field, access) \
  HANDLER(do_##name) { \
    const u64 address = r[pc->address_field]; \
    if (address % sizeof(type) != 0 || !(access)) [[unlikely]] LEAVE(Exit::reference); \
    std::uint8_t* const place = context->memory + address;
#define END_ATOMIC_HANDLER \
  NEXT(1); \
  }
#define MAY_LOAD direct(context, address, 1, access_load)
#define MAY_STORE direct(context, address, 1, access_store)
// Where the result is dropped the access stays.
#define DROP_OR_SET(result) \
  const u64 result_ = (result); \
  r[pc->a] = pc->a == 0 ? 0 : result_;

#define ATOMIC(name, type, result) \
  ATOMIC_HANDLER(name, type, b, MAY_LOAD && MAY_STORE) \
  [[maybe_unused]] const auto value = static_cast<type>(r[pc->c]), expected = static_cast<type>(r[pc->a]); \
  DROP_OR_SET(change_atomically<type>(place, [=]([[maybe_unused]] type old) __attribute__((always_inline)) -> type { \
    return static_cast<type>(result); \
  })) \
  END_ATOMIC_HANDLER
#define ATOMIC_LOAD(name, type) \
  ATOMIC_HANDLER(name, type, b, MAY_LOAD) \
  DROP_OR_SET(load_atomically<type>(place)) \
  END_ATOMIC_HANDLER
#define ATOMIC_STORE(name, type) \
  ATOMIC_HANDLER(name, type, a, MAY_STORE) \
  store_atomically<type>(place, static_cast<type>(r[pc->b])); \
  END_ATOMIC_HANDLER
#include "atomics.def"
HANDLER(do_fence) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  NEXT(1);
}

// By what is in the accumulator: nothing, the first operand, the second, both. The last is seldom, and takes the second
// from its register; so does all that is seldom and has one operand.
template <template <unsigned> class Part, isa::Operation operation> constexpr std::array<Handler, 4> variants_of() {
  if constexpr (Part<0>::variants == 4) return {run<Part<0>>, run<Part<1>>, run<Part<2>>, run<Part<1>>};
  if constexpr (isa::layouts[operation].seldom) return {run<Part<0>>, run<Part<0>>};
  return {run<Part<0>>, run<Part<1>>};
}

} // namespace

constexpr HandlerTables handler_tables = [] {
  using namespace isa;
  HandlerTables tables{};
#define REGULAR(name) tables.handlers[op_##name] = variants_of<part_##name, op_##name>();
#define WITH_IMMEDIATE(name) \
  REGULAR(name) \
  tables.wide.set(op_##name, wide_##name);
#define EARLY(name) tables.early_calls.set(op_##name, run<part_call_##name<0>>);
#define UNARY(name, result) REGULAR(name)
#define BINARY(name, result) REGULAR(name)
#define BINARY_IMMEDIATE(name, result) WITH_IMMEDIATE(name)
#define MODIFY(name, result) REGULAR(name)
#define CHECKED_UNARY(name, trap, result) REGULAR(name)
#define CHECKED_BINARY(name, trap, result) REGULAR(name)
#define BRANCH(name, condition) REGULAR(name) EARLY(name)
#define BRANCH_IMMEDIATE(name, condition) WITH_IMMEDIATE(name) EARLY(name)
#define LOAD(name, type) WITH_IMMEDIATE(name)
#define STORE(name, type) WITH_IMMEDIATE(name)
#define LOAD_INDEXED(name, type) REGULAR(name)
#define STORE_INDEXED(name, type) REGULAR(name)
#include "operations.def"
#define IRREGULAR(name, handler) tables.handlers[op_##name][0] = handler;
  IRREGULAR(imm, handlers::constant)
  IRREGULAR(jump, run<part_jump<0>>)
  IRREGULAR(call, run<part_call<0>>)
  IRREGULAR(ret, run<part_ret<0>>)
  IRREGULAR(jal, do_jal)
  IRREGULAR(jumpr, run<part_jumpr<0>>)
  IRREGULAR(jalr, do_jalr)
  IRREGULAR(brz, do_brz)
  IRREGULAR(callr, run<part_callr<0>>)
  IRREGULAR(tail, run<part_tail<0>>)
  IRREGULAR(tailr, run<part_tailr<0>>)
  REGULAR(jtab)
  tables.wide.set(op_jtab, wide_jtab);
  IRREGULAR(tget, run<part_tget<0>>)
  IRREGULAR(tset, run<part_tset<0>>)
  IRREGULAR(fence, do_fence)
#define ATOMIC(name, type, result) IRREGULAR(name, do_##name)
#define ATOMIC_LOAD(name, type) IRREGULAR(name, do_##name)
#define ATOMIC_STORE(name, type) IRREGULAR(name, do_##name)
#include "atomics.def"
  return tables;
}();

} // namespace comet
