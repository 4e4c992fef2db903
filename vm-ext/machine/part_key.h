// The names of parts: of what handlers do that may stand in a sequence.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../isa/isa.h"

namespace comet {

// An operation and a variant.
using PartKey = std::uint16_t;
constexpr PartKey part_key(isa::Operation operation, unsigned variant) {
  return static_cast<PartKey>(operation * 4 + variant);
}
constexpr PartKey no_part = part_key(isa::operation_count, 0);
// The call of a function that begins with such a branch to its `ret`.
constexpr PartKey early_call_key(isa::Operation branch, unsigned variant = 0) {
  return static_cast<PartKey>(no_part + part_key(branch, 1 + variant));
}
constexpr std::size_t part_keys = 2 * no_part;

} // namespace comet
