// What decoding makes of each operation.
#pragma once

#include <array>
#include <cstdint>

#include "../isa/layout.h"
#include "accumulator.h"
#include "part_key.h"

namespace comet {

// What the slots of an operation are made of.
enum class Format : std::uint8_t {
  unlike_others,
  registers,        // up to three
  immediate,        // behind up to two registers
  branch,           // two registers, and where to
  branch_immediate, // a register, an immediate of 16 bits, and where to
};
struct Plan {
  Format format = Format::unlike_others;
  bool writes = false;       // its first register, so that r0 makes it another instruction
  bool ends_block = false;   // execution surely does not go on behind it
  bool ends_sequence = false;
};

inline constexpr auto plans = [] {
  using namespace isa;
  constexpr const char* operands[] = {
#define INSTRUCTION(opcode, name, operands, group, meaning) operands,
#include "../isa/instructions.def"
#undef INSTRUCTION
      ""};
  std::array<Plan, operation_count + 1> all{};
  for (std::size_t n = 0; n < operation_count; ++n) {
    const char* const kinds = operands[n];
    const std::uint8_t count = layouts[n].count;
    all[n].writes = writes_register(kinds[0]);
    switch (count == 0 ? 0 : kinds[count - 1]) {
      case 'd': case 's': all[n].format = Format::registers; break;
      case 'i': case 'c': case 'o': all[n].format = Format::immediate; break;
      case 'p': all[n].format = kinds[1] == 'i' ? Format::branch_immediate : Format::branch; break;
      default: break;
    }
  }
  for (const Operation each : {op_nop, op_imm, op_simm, op_pcimm, op_spcimm, op_fimm, op_fimm32, op_jump, op_jumpr, op_tailr,
                               op_jal, op_jalr, op_brz, op_call, op_tail, op_callr, op_ret, op_jtab, op_tget, op_tset})
    all[each].format = Format::unlike_others;
  for (const Operation each : {op_brk, op_jump, op_jumpr, op_jal, op_jalr, op_ret, op_tail, op_tailr, op_trap, op_halt})
    all[each].ends_block = true;
  for (const Operation each : {op_jal, op_jalr, op_brz, operation_count}) all[each].ends_sequence = true;
  for (unsigned each = op_fence; each <= op_acas64; ++each) { // an access takes place where its result is dropped
    all[each].writes = false;
    all[each].ends_sequence = true;
  }
  return all;
}();

} // namespace comet
