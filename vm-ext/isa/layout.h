// What those who decode ask of each operation's operands, without a look at their letters.
#pragma once

#include <array>

#include "isa.h"

namespace comet::isa {

struct Layout {
  std::uint8_t count = 0;
  std::uint8_t registers = 0; // bit i: operand i names one
  std::uint8_t in_window = 0; // those that name one of this window, and not where another begins
  std::uint8_t zigzag = 0;
  bool seldom = false; // its opcode takes two bytes
};

// For operation_count, of no operands.
inline constexpr auto layouts = [] {
  constexpr const char* operands[operation_count + 1] = {
#define INSTRUCTION(opcode, name, operands, group, meaning) operands,
#include "instructions.def"
#undef INSTRUCTION
      ""};
  constexpr unsigned opcodes[operation_count + 1] = {
#define INSTRUCTION(opcode, name, operands, group, meaning) opcode,
#include "instructions.def"
#undef INSTRUCTION
  };
  std::array<Layout, operation_count + 1> all{};
  for (std::size_t n = 0; n < all.size(); ++n) {
    all[n].seldom = opcodes[n] >= 0x80;
    for (const char* kind = operands[n]; *kind != 0; ++kind) {
      const auto bit = static_cast<std::uint8_t>(1u << all[n].count++);
      if (names_register(*kind)) all[n].registers |= bit;
      if (names_register(*kind) && *kind != 'w') all[n].in_window |= bit;
      if (is_zigzag(*kind)) all[n].zigzag |= bit;
    }
  }
  return all;
}();

} // namespace comet::isa
