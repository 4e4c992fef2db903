// A slot: one instruction, decoded, as the fast loop executes it.
//
//      0                8      10     12              16
//     +----------------+------+------+---------------+
//     | handler        |  a   |  b   | c  |     or   |      a, b, c: register numbers
//     |                |      |      |  immediate    |      immediate: a constant, or the distance in bytes
//     +----------------+------+------+---------------+                 to the slot that a branch goes to
//
// An immediate that does not fit stands in a slot of its own behind the instruction's. What fits neither
// (register numbers above 65535, rare instructions) gets the handler that leaves it to the reference loop.
#pragma once

#include <cstdint>

namespace comet {

struct Slot;
struct FastContext;
struct Activation;

// All handlers have this shape, so that these six stay in host registers from one to the next. `top` is the
// innermost activation. `limit` is the address of the slot at which the fuel would end, less a margin, if
// execution went straight on. `accumulator` is the value that was last written to a register:
// see accumulator.h.
using HandlerFunction = void(const Slot* pc, std::uint64_t* r, Activation* top, FastContext* context,
                             std::intptr_t limit, std::uint64_t accumulator);
using Handler = HandlerFunction*;

struct Slot {
  union {
    Handler handler;
    std::uint64_t data; // a slot that holds a constant
  };
  std::uint16_t a, b;
  union {
    std::int32_t immediate;
    std::uint16_t c;
  };
};

static_assert(sizeof(Slot) == 16);

} // namespace comet
