// The accumulator: a host register that holds the value which an instruction wrote last, so that the next
// one need not wait for it to come back from the register stack. It is written there all the same.
//
// Which operands are in it is settled when a block is decoded, and holds only if execution comes to a slot
// by the slot before it. So a slot can be entered from outside (by a branch, a call, a return, a run) only
// when nothing that follows needs what the accumulator held before it; only such slots are in the page
// table. Whoever goes to another address of the block gets a block of its own from there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../isa/isa.h"
#include "slot.h"

namespace comet {

class Accumulator {
 public:
  // How an instruction treats it.
  enum class Effect : std::uint8_t {
    drops, // what it holds is unknown afterwards
    keeps,
    sets // to the value that it writes to register a
  };
  struct Shape {
    std::uint8_t first = 0, second = 0; // where in its slot the numbers of its source operands stand, in bytes
    std::uint8_t operands = 0;          // which of the two there are: bit 0, bit 1
    Effect effect = Effect::drops;
  };
  // Execution may come here from elsewhere.
  void drop() { known_ = nothing; }
  // Takes the next instruction of the block. Gives the variant of its handler: bit 0 when its first source
  // operand is in the accumulator, bit 1 for the second. An indexed store's sources are index and value.
  unsigned next(Shape shape, const Slot& slot) {
    const auto in_it = [&](std::uint8_t place) {
      std::uint16_t number;
      std::memcpy(&number, reinterpret_cast<const char*>(&slot) + place, sizeof number);
      return static_cast<unsigned>(number == known_);
    };
    const unsigned variant = (in_it(shape.first) | in_it(shape.second) << 1) & shape.operands;
    known_ = shape.effect == Effect::sets ? slot.a : shape.effect == Effect::drops ? nothing : known_;
    return variant;
  }

 private:
  static constexpr std::uint32_t nothing = std::uint32_t{1} << 16; // no register's number

  std::uint32_t known_ = nothing; // the register whose value it holds
};

// The shapes by operation, for handlers whose operands fit the slot.
constexpr auto accumulator_shapes = [] {
  using enum Accumulator::Effect;
  std::array<Accumulator::Shape, isa::operation_count + 1> all{};
  const auto add = [&all](isa::Operation operation, char first, char second, Accumulator::Effect effect) {
    const auto place = [](char field) -> std::uint8_t {
      return field == 'a' ? offsetof(Slot, a) : field == 'b' ? offsetof(Slot, b) : field == 'c' ? offsetof(Slot, c) : 0;
    };
    const unsigned operands = (first != '-' ? 1u : 0u) | (second != '-' ? 2u : 0u);
    all[operation] = {place(first), place(second), static_cast<std::uint8_t>(operands), effect};
  };
#define UNARY(name, result) add(isa::op_##name, 'b', '-', sets);
#define BINARY(name, result) add(isa::op_##name, 'b', 'c', sets);
#define BINARY_IMMEDIATE(name, result) add(isa::op_##name, 'b', '-', sets);
#define MODIFY(name, result) add(isa::op_##name, 'b', 'c', sets);
#define CHECKED_UNARY(name, trap, result) add(isa::op_##name, 'b', '-', sets);
#define CHECKED_BINARY(name, trap, result) add(isa::op_##name, 'b', 'c', sets);
#define BRANCH(name, condition) add(isa::op_##name, 'a', 'b', keeps);
#define BRANCH_IMMEDIATE(name, condition) add(isa::op_##name, 'a', '-', keeps);
#define LOAD(name, type) add(isa::op_##name, 'b', '-', sets);
#define STORE(name, type) add(isa::op_##name, 'a', 'b', keeps);
#define LOAD_INDEXED(name, type) add(isa::op_##name, 'b', 'c', sets);
#define STORE_INDEXED(name, type) add(isa::op_##name, 'b', 'c', keeps);
#include "operations.def"
  add(isa::op_imm, '-', '-', sets);
  add(isa::op_jtab, 'a', '-', keeps);
  return all;
}();

} // namespace comet
