// The short forms of instructions, in which nearly all are encoded, and how they are made into slots at once.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "code.h"
#include "fast.h"
#include "little_endian.h"
#include "plans.h"

namespace comet {

// What decode_short makes of each opcode of up to two bytes.
struct alignas(32) ShortPlan { // so that its place in the table is a shift
  static constexpr std::uint8_t not_short = 255; // no first field of a byte is as much
  CodeCache::Kind kind{};       // but for what it has from the accumulator
  std::uint32_t bytes = 0;      // what says that a field is longer than a byte
  std::uint16_t ahead = 0;      // the fields in front of the last one
  std::uint8_t last = 0;        // the last one, where it has a byte; 0: there are no fields
  std::uint8_t bits_ahead = 0;
  std::uint8_t length = 0;      // of the fields, of a byte each
  std::uint8_t last_place = 0;  // in what stands behind the handler in its slot, in bits
  std::uint8_t last_zigzag = 0; // 1: so the last field is encoded
  std::uint8_t least_first = not_short; // 1: it writes its first register, so r0 makes it another instruction
  bool last_register = false;
  bool more = false;          // one of the next five
  bool links = false;         // the last field, which is the slot's immediate, says where to
  bool second_zigzag = false; // so the second of three fields is encoded, the slot's b
  bool has_function = false;  // that stands in a slot behind
  bool moves_window = false;  // by the slot's a
  bool ends_block = false;
  bool is_left = false;       // to the reference loop
};

inline constexpr auto short_plans = [] {
  using namespace isa;
  std::array<ShortPlan, 256> all{};
  Operation operation{};
  const auto add = [&all, &operation](std::size_t opcode) {
    const Layout layout = layouts[operation];
    const Plan plan = plans[operation];
    const bool jumps = operation == op_jump || operation == op_call || operation == op_tail;
    bool is_short = jumps || plan.format != Format::unlike_others;
    for (const Operation each : {op_imm, op_ret, op_jumpr, op_tailr, op_callr}) is_short |= operation == each;
    bool is_left = false;
    for (const Operation each : {op_hcall, op_brk, op_trap, op_halt, op_bcopy, op_bfill}) is_left |= operation == each;
    if ((is_short || is_left) && opcode < all.size()) {
      ShortPlan& made = all[opcode];
      const unsigned ahead = layout.count < 2 ? 0 : layout.count - 1u;
      made.is_left = is_left;
      const PartKey part = plan.ends_sequence ? no_part : part_key(operation, 0);
      if (!is_left) made.kind = {operation, part, accumulator_shapes[operation]};
      made.bytes = layout.count == 0 ? 0 : 0x808080 >> (8 * (2 - ahead));
      made.ahead = static_cast<std::uint16_t>((1u << (8 * ahead)) - 1);
      made.last = layout.count == 0 ? 0 : 0x7f;
      made.bits_ahead = static_cast<std::uint8_t>(8 * ahead);
      made.length = layout.count;
      const unsigned last = layout.count == 0 ? isa::max_operands : layout.count - 1u;
      made.last_zigzag = layout.zigzag >> last & 1;
      made.second_zigzag = last == 2 && (layout.zigzag & 2) != 0;
      made.last_register = (layout.registers >> last & 1) != 0;
      const bool in_order = operation != op_imm && !jumps; // that is, the fields of the slot
      const bool third_register = in_order && plan.format == Format::registers;
      made.last_place = in_order && ahead < 2 ? static_cast<std::uint8_t>(16 * ahead)
                        : third_register && std::endian::native == std::endian::big ? 48 : 32;
      made.least_first = is_left ? ShortPlan::not_short : plan.writes ? 1 : 0;
      made.links = jumps || plan.format == Format::branch || plan.format == Format::branch_immediate;
      made.has_function = operation == op_call || operation == op_tail;
      made.moves_window = operation == op_call || operation == op_callr;
      made.ends_block = plan.ends_block;
      made.more = made.links || made.second_zigzag || made.moves_window || made.ends_block;
    }
    operation = static_cast<Operation>(operation + 1);
  };
#define INSTRUCTION(opcode, name, operands, group, meaning) add(opcode);
#include "../isa/instructions.def"
#undef INSTRUCTION
  return all;
}();

// What an encoded field means; `zigzag`: 1 where it is encoded so, else 0.
constexpr std::uint32_t meant(std::uint32_t encoded, unsigned zigzag) {
  return encoded >> zigzag ^ (0 - (encoded & zigzag));
}

// Fields of which one has more than a byte.
struct LongFields {
  std::uint64_t last;
  std::uint32_t ahead; // the first, and from bit 8 on the second
  std::uint32_t extra; // so many more bytes than fields; 0: they are too long
};
[[gnu::noinline]] inline LongFields long_fields(std::uint64_t fields, const ShortPlan& plan) {
  std::uint64_t behind = fields >> plan.bits_ahead, may_end = 0x8080808080;
  std::uint32_t ahead = static_cast<std::uint32_t>(fields) & plan.ahead, extra = 0;
  if ((ahead & 0x8080) != 0) {
    if (!plan.second_zigzag || (fields & 0x808080) != 0x8000) return {};
    ahead = (ahead & 0x7fff) | (behind & 0x7f) << 15;
    behind >>= 8;
    may_end = 0x80808080;
    extra = 1;
  }
  const std::uint64_t ends = ~behind & may_end, bits = behind & (ends ^ (ends - 1));
  const std::uint64_t last =
      (bits & 0x7f) | (bits >> 1 & 0x3f80) | (bits >> 2 & 0x1fc000) | (bits >> 3 & 0xfe00000) | (bits >> 4 & 0x7f0000000);
  const std::uint64_t most = plan.last_register ? 127 : (std::uint64_t{0x80000000} << plan.last_zigzag) - 1;
  if (ends == 0 || last > most) return {};
  return {last, ahead, extra + static_cast<unsigned>(std::countr_zero(ends)) / 8};
}

// Decodes an instruction as nearly all are and makes its slot: an opcode of a byte, or two, and up to three fields of a
// byte, but for the last, which may have five, and a branch's immediate, which may have two. All bytes that the longest
// instruction could have must be there. The slot gets no handler yet, unless it is left to the reference loop. Gives what
// it is; null, with nothing done, where it is another.
[[gnu::always_inline]] inline const ShortPlan* decode_short(const std::uint8_t* bytes, Slot& slot, unsigned& length) {
  std::uint64_t word = load_little<std::uint64_t>(bytes);
  const auto opcode = static_cast<std::uint8_t>(word);
  length = 1;
  if (opcode >= 0x80) [[unlikely]] {
    if (bytes[1] != 1) return nullptr;
    word = load_little<std::uint64_t>(bytes + 1);
    length = 2;
  }
  const ShortPlan* where = &short_plans[opcode];
  asm("" : "+r"(where)); // else the compiler computes it again for each use
  const ShortPlan& plan = *where;
  const std::uint64_t fields = word >> 8;
  length += plan.length;
  std::uint64_t last = fields >> plan.bits_ahead & plan.last;
  std::uint64_t ahead = fields & plan.ahead;
  if ((fields & plan.bytes) != 0) {
    const LongFields read = long_fields(fields, plan);
    if (read.extra == 0) return nullptr;
    last = read.last;
    ahead = read.ahead;
    length += read.extra;
  }
  const std::uint64_t first = ahead & 0xff;
  Handler handler = nullptr;
  if (first < plan.least_first) [[unlikely]] {
    if (!plan.is_left) return nullptr;
    handler = handlers::reference;
  }
  const std::uint64_t operands =
      first | (ahead >> 8) << 16 | std::uint64_t{meant(static_cast<std::uint32_t>(last), plan.last_zigzag)} << plan.last_place;
  slot.handler = handler;
  slot.a = static_cast<std::uint16_t>(operands);
  slot.b = static_cast<std::uint16_t>(operands >> 16);
  slot.immediate = static_cast<std::int32_t>(operands >> 32);
  return &plan;
}

} // namespace comet
