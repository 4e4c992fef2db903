// What those who decode ask of each operation's operands, without a look at their letters.
#pragma once

#include <array>

#include "isa.h"

namespace comet::isa {

struct Layout {
  std::uint8_t count = 0;
  std::uint8_t registers = 0; // bit i: operand i names one
  std::uint8_t zigzag = 0;
};

// For operation_count, of no operands.
constexpr auto layouts = [] {
  constexpr const char* operands[operation_count + 1] = {
#define INSTRUCTION(opcode, name, operands, group, meaning) operands,
#include "instructions.def"
#undef INSTRUCTION
      ""};
  std::array<Layout, operation_count + 1> all{};
  for (std::size_t n = 0; n < all.size(); ++n)
    for (const char* kind = operands[n]; *kind != 0; ++kind) {
      const auto bit = static_cast<std::uint8_t>(1u << all[n].count++);
      if (names_register(*kind)) all[n].registers |= bit;
      if (is_zigzag(*kind)) all[n].zigzag |= bit;
    }
  return all;
}();

} // namespace comet::isa
