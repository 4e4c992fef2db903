// Which operands each operation's handlers can find in the accumulator, and what they do to it.
#include "accumulator.h"

namespace comet {

constexpr std::array<Accumulator::Shape, isa::operation_count + 1> Accumulator::shapes = [] {
  using enum Source;
  using enum Effect;
  using namespace isa;
  std::array<Shape, operation_count + 1> all{};
#define SHAPE(name, first, second, effect) all[op_##name] = {first, second, effect};
#define UNARY(name, result) SHAPE(name, b, none, sets)
#define BINARY(name, result) SHAPE(name, b, c, sets)
#define BINARY_IMMEDIATE(name, result) SHAPE(name, b, none, sets)
#define MODIFY(name, result) SHAPE(name, b, c, sets)
#define CHECKED_UNARY(name, trap, result) SHAPE(name, b, none, sets)
#define CHECKED_BINARY(name, trap, result) SHAPE(name, b, c, sets)
#define BRANCH(name, condition) SHAPE(name, a, b, keeps)
#define BRANCH_IMMEDIATE(name, condition) SHAPE(name, a, none, keeps)
#define LOAD(name, type) SHAPE(name, b, none, sets)
#define STORE(name, type) SHAPE(name, a, b, keeps)
#define LOAD_INDEXED(name, type) SHAPE(name, b, c, sets)
#define STORE_INDEXED(name, type) SHAPE(name, b, c, keeps)
#include "operations.def"
  SHAPE(imm, none, none, sets)
  SHAPE(jtab, a, none, keeps)
  return all;
}();

} // namespace comet
