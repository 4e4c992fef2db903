// The fast loop: executes slots until something rare happens.
//
// Each handler does one instruction and jumps to the next slot's handler. The only thing that is tested
// beside what the instruction itself needs is, at each taken branch, whether the fuel of this run of the
// loop may end soon. Everything rare (traps, accesses that need care, calls of the host, links that are
// not resolved) leaves the loop before anything of the instruction was done.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "../isa/definitions.h"
#include "code.h"
#include "slot.h"
#include "thread.h"

namespace comet {

enum class Exit : std::uint8_t {
  fuel,      // pc: the next instruction
  reference, // pc: an instruction that the reference loop must execute
  breakpoint,// pc: an instruction with a breakpoint
  link,      // pc: a link to be resolved
  address    // `address`: where execution goes on; pc: the slot behind the jump
};

// All that the loop needs of a thread and its space beside what is in host registers. Each stay has its own.
struct FastContext {
  std::uint64_t window_bytes;
  const std::uint8_t* access;
  std::uint8_t* memory; // the window
  Activation* last_activation; // there may be
  std::uint64_t* window_end;
  std::uint64_t* thread_registers;
  const CodeCache* code;
  CodeCache::PageFound page; // of the last jump to an address
  // The user's instruction that was begun last: its slot, the limit there, and what registers held that a
  // part of it may have written when another must be left to the reference loop.
  const Slot* defined;
  std::intptr_t defined_limit;
  std::uint64_t kept[isa::max_parts];

  // Registers, a write to which is told of.
  const std::uint64_t* places[Told::most_registers];
  std::size_t place_count;

  // Filled on leaving.
  const Slot* pc;
  std::uint64_t* r;
  Activation* top;
  std::intptr_t limit;
  std::uint64_t accumulator; // between two handlers, where they do not jump to each other
  Exit exit;
  bool left;
  std::uint64_t address;

  // The slot of an address where that is decoded, else null.
  const Slot* find(std::uint64_t guest_address) { return code->find(guest_address, page); }
};

// The limit that stands for `fuel` instructions at a slot, and back. Fuel must be at least fast_margin to
// enter the loop: as much as a block executes without a taken branch. Its last call may do two more than it has room for.
constexpr std::uint64_t fast_margin = block_instructions + 2;

inline std::intptr_t limit_for(const Slot* pc, std::uint64_t fuel) {
  return reinterpret_cast<std::intptr_t>(pc) + static_cast<std::intptr_t>((fuel - fast_margin) * sizeof(Slot));
}
inline std::uint64_t fuel_left(const Slot* pc, std::intptr_t limit) {
  return static_cast<std::uint64_t>((limit - reinterpret_cast<std::intptr_t>(pc)) / static_cast<std::intptr_t>(sizeof(Slot)) +
                                    static_cast<std::intptr_t>(fast_margin));
}

void run_fast(const Slot* pc, std::uint64_t* r, Activation* top, FastContext& context, std::uint64_t fuel);

// The number of a register that is kept: four stand in each slot behind the one that begins a user's instruction.
inline std::uint16_t kept_register(const Slot* begin, unsigned i) {
  return static_cast<std::uint16_t>(begin[1 + i / 4].data >> (16 * (i % 4)));
}

// Handlers that few operations have.
template <std::size_t most> struct SparseHandlers {
  std::array<std::uint8_t, isa::operation_count + 1> numbers{}; // 0: it has none
  std::array<Handler, most + 1> handlers{};
  std::uint8_t count = 0;

  constexpr void set(isa::Operation operation, Handler handler) { handlers[numbers[operation] = ++count] = handler; }
  Handler operator[](isa::Operation operation) const { return handlers[numbers[operation]]; }
};

struct HandlerTables {
  // The last is for what is no operation: it has none.
  std::array<std::array<Handler, 4>, isa::operation_count + 1> handlers;
  SparseHandlers<40> wide;
  SparseHandlers<20> early_calls;
};
extern const HandlerTables handler_tables;

// The handler for an operation whose operands fit the slot; null when the fast loop has none. The variant
// says which operands are in the accumulator (accumulator.h); 0: none is.
inline Handler fast_handler(isa::Operation operation, unsigned variant = 0) { return handler_tables.handlers[operation][variant]; }
// The one that takes its immediate from the next slot.
inline Handler wide_handler(isa::Operation operation) { return handler_tables.wide[operation]; }
// The handler for the call of a function that begins with such a branch to its `ret`; null when there is none.
inline Handler early_call_handler(isa::Operation branch) { return handler_tables.early_calls[branch]; }

// An atomic instruction writes memory, or orders accesses to it, and is no part of a sequence.
constexpr bool is_atomic(isa::Operation operation) { return operation >= isa::op_fence && operation <= isa::op_acas64; }

constexpr std::size_t longest_sequence = 6;
struct FusedSequence {
  std::array<PartKey, longest_sequence> keys;
  std::uint16_t length;
};
extern const Handler fused_handlers[]; // as in fused.def

// Handlers that stand for no operation.
namespace handlers {
HandlerFunction nothing;       // an instruction without effect
HandlerFunction constant;      // R[a] := immediate
HandlerFunction wide_constant; // R[a] := next slot
HandlerFunction reference;
HandlerFunction breakpoint;
HandlerFunction defined; // the parts of a user's instruction are in the slots behind
HandlerFunction link;
HandlerFunction far; // goes to what a block runs into
HandlerFunction resume;
HandlerFunction check; // leaves the instruction in the slot behind where R[a] is one of the context's places
HandlerFunction branch_if_zero_unlinked; // brz with r0 as link
} // namespace handlers

} // namespace comet
