// Which handlers find an operand in the accumulator.
#include "accumulator.h"

#include "fast.h"

namespace comet {
namespace {

using Effect = Accumulator::Effect;

struct Shape {
  std::uint16_t Slot::*first;
  std::uint16_t Slot::*second;
  Effect effect;
};

constexpr std::uint16_t Slot::*no_source = nullptr;

Shape shape_of(isa::Operation operation) {
  using namespace isa;
  switch (operation) {
#define SHAPE(name, first, second, effect) \
  case op_##name: return {first, second, effect};
#define UNARY(name, result) SHAPE(name, &Slot::b, no_source, Effect::sets)
#define BINARY(name, result) SHAPE(name, &Slot::b, &Slot::c, Effect::sets)
#define BINARY_IMMEDIATE(name, result) SHAPE(name, &Slot::b, no_source, Effect::sets)
#define MODIFY(name, result) SHAPE(name, &Slot::b, &Slot::c, Effect::sets)
#define CHECKED_UNARY(name, trap, result) SHAPE(name, &Slot::b, no_source, Effect::sets)
#define CHECKED_BINARY(name, trap, result) SHAPE(name, &Slot::b, &Slot::c, Effect::sets)
#define BRANCH(name, condition) SHAPE(name, &Slot::a, &Slot::b, Effect::keeps)
#define BRANCH_IMMEDIATE(name, condition) SHAPE(name, &Slot::a, no_source, Effect::keeps)
#define LOAD(name, type) SHAPE(name, &Slot::b, no_source, Effect::sets)
#define STORE(name, type) SHAPE(name, &Slot::a, &Slot::b, Effect::keeps)
#define LOAD_INDEXED(name, type) SHAPE(name, &Slot::b, &Slot::c, Effect::sets)
#define STORE_INDEXED(name, type) SHAPE(name, &Slot::b, &Slot::c, Effect::keeps)
#include "operations.def"
    default: return {no_source, no_source, Effect::drops};
  }
}

} // namespace

unsigned Accumulator::next(isa::Operation operation, const Slot& slot) {
  unsigned variant = 0;
  if (slot.handler == handlers::nothing) {
    effect_ = Effect::keeps;
  } else if (slot.handler == handlers::constant || slot.handler == handlers::wide_constant) {
    effect_ = Effect::sets;
  } else {
    const Shape shape = shape_of(operation);
    const bool narrow = slot.handler == fast_handler(operation);
    effect_ = narrow || slot.handler == wide_handler(operation) ? shape.effect : Effect::drops;
    if (narrow && known_ != 0) {
      if (shape.first != no_source && slot.*shape.first == known_) variant |= 1;
      if (shape.second != no_source && slot.*shape.second == known_) variant |= 2;
    }
  }
  if (effect_ == Effect::sets) known_ = slot.a;
  if (effect_ == Effect::drops) known_ = 0;
  return variant;
}

} // namespace comet
