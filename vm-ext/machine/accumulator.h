// The accumulator: a host register that holds the value which an instruction wrote last, so that the next
// one need not wait for it to come back from the register stack. It is written there all the same.
//
// Which operands are in it is settled when a block is decoded, and holds only if execution comes to a slot
// by the slot before it. So a slot can be entered from outside (by a branch, a call, a return, a run) only
// when nothing that follows needs what the accumulator held before it; only such slots are in the page
// table. Whoever goes to another address of the block gets a block of its own from there.
#pragma once

#include <array>
#include <cstdint>

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

  // What the handler of an instruction is.
  enum class Form : std::uint8_t {
    nothing,
    constant,
    narrow, // the one for its operation
    wide,   // that with an immediate in a slot of its own
    other
  };
  enum class Source : std::uint8_t { none, a, b, c }; // a field of the slot
  struct Shape {
    Source first = Source::none, second = Source::none;
    Effect effect = Effect::drops;
  };

  // Execution may come here from elsewhere.
  void drop() { known_ = 0; }
  // Takes the next instruction of the block. Gives the variant of its handler: bit 0 when its first source
  // operand is in the accumulator, bit 1 for the second. An indexed store's sources are index and value.
  unsigned next(isa::Operation operation, Form form, const Slot& slot) {
    unsigned variant = 0;
    if (form == Form::narrow) [[likely]] {
      const Shape shape = shapes[operation];
      const std::uint16_t fields[] = {0, slot.a, slot.b, slot.c};
      variant = static_cast<unsigned>(fields[static_cast<unsigned>(shape.first)] == known_) |
                static_cast<unsigned>(fields[static_cast<unsigned>(shape.second)] == known_) << 1;
      if (known_ == 0) variant = 0;
      effect_ = shape.effect;
    } else if (form == Form::other) {
      effect_ = Effect::drops;
    } else {
      effect_ = form == Form::nothing ? Effect::keeps : form == Form::constant ? Effect::sets : shapes[operation].effect;
    }
    known_ = effect_ == Effect::sets ? slot.a : effect_ == Effect::drops ? std::uint16_t{0} : known_;
    return variant;
  }
  Effect effect() const { return effect_; }

 private:
  static const std::array<Shape, isa::operation_count + 1> shapes;

  std::uint16_t known_ = 0; // the register whose value it holds; none: 0
  Effect effect_ = Effect::drops;
};

} // namespace comet
