// The instruction table, by operation and by opcode.
#include "isa.h"

#include <algorithm>
#include <array>

namespace comet::isa {
namespace {

constexpr std::array<Instruction, operation_count> table = {{
#define INSTRUCTION(opcode, name, operands, group, meaning) {op_##name, opcode, #name, operands, #group, meaning},
#include "instructions.def"
#undef INSTRUCTION
}};

constexpr std::size_t opcode_space = 1024;

constexpr auto sorted = [] {
  std::array<Operation, operation_count> order{};
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = table[i].operation;
  std::sort(order.begin(), order.end(), [](Operation a, Operation b) { return table[a].opcode < table[b].opcode; });
  return order;
}();

constexpr auto operation_of_opcode = [] {
  std::array<Operation, opcode_space> map{};
  map.fill(operation_count);
  for (const Instruction& instruction : table) map[instruction.opcode] = instruction.operation;
  return map;
}();

constexpr bool opcodes_are_unique = [] {
  for (std::size_t i = 1; i < sorted.size(); ++i)
    if (table[sorted[i - 1]].opcode == table[sorted[i]].opcode) return false;
  return true;
}();
static_assert(opcodes_are_unique, "two instructions of instructions.def have the same opcode");

constexpr bool opcodes_are_in_their_ranges = [] {
  for (const Instruction& instruction : table)
    if (instruction.opcode >= opcode_space || (instruction.opcode >= 256 && instruction.opcode < 512)) return false;
  return true;
}();
static_assert(opcodes_are_in_their_ranges, "opcodes are 0-255 and 512-1023");

} // namespace

const Instruction& by_rank(std::size_t rank) { return table[sorted[rank]]; }
const Instruction& describe(Operation operation) { return table[operation]; }
Operation find(std::uint64_t opcode) { return opcode < opcode_space ? operation_of_opcode[opcode] : operation_count; }

} // namespace comet::isa
