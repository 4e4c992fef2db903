// Which fused handler serves a sequence of instructions: a tree, whose branches are parts. It is made when the library is
// compiled, so no program waits for it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "fast.h"

namespace comet {

class Sequences {
 public:
  // In the order of `fused_handlers`. When there are no places left, it does not compile.
  constexpr explicit Sequences(std::span<const FusedSequence> all) {
    for (std::size_t number = 0; number < all.size(); ++number) {
      const FusedSequence& each = all[number];
      const std::uint32_t pair = pair_of(each.keys.data());
      pairs_[pair / 64] |= std::uint64_t{1} << pair % 64;
      std::uint32_t node = beginning(each.keys[0]);
      for (std::size_t i = 1; i < each.length; ++i) {
        if (node <= places) leads_to_[node - 1] |= goes_on;
        const std::uint32_t branch = branch_of(node, each.keys[i]), at = place(branch);
        branches_[at] = branch;
        node = at + 1;
      }
      leads_to_[node - 1] |= static_cast<std::uint16_t>(number + 1);
    }
  }

  // The handler that does the most of these instructions, from the first on; null when there is none that does
  // more than one. They must stand in slots one behind the other, which it leaves as they are; `no_part` ends them.
  Handler longest(const PartKey* keys) const {
    const std::uint32_t pair = pair_of(keys);
    if ((pairs_[pair / 64] >> pair % 64 & 1) == 0) return nullptr;
    unsigned handler = 0, leads_to = goes_on;
    std::uint32_t node = beginning(keys[0]);
    for (std::size_t i = 1; (leads_to & goes_on) != 0; ++i) {
      const std::uint32_t at = place(branch_of(node, keys[i]));
      if (branches_[at] == 0) break;
      leads_to = leads_to_[at];
      handler = (leads_to & ~goes_on) != 0 ? leads_to & ~goes_on : handler;
      node = at + 1;
    }
    return handler == 0 ? nullptr : fused_handlers[handler - 1];
  }

 private:
  static constexpr unsigned place_bits = 11;
  static constexpr std::uint32_t places = 1u << place_bits;
  static constexpr std::uint16_t goes_on = 0x8000;

  // A branch goes from a node by a part to another node, whose number is that of the branch's place and 1. Branches lie in
  // a table where their hash, or the next free place, is; free: 0.
  static constexpr std::uint32_t branch_of(std::uint32_t node, PartKey part) { return node << 16 | part; }
  constexpr std::uint32_t place(std::uint32_t branch) const {
    std::uint32_t at = branch * 0x9e3779b1u >> (32 - place_bits);
    while (branches_[at] != branch && branches_[at] != 0) at = (at + 1) % places;
    return at;
  }
  // The node that a first part leads to.
  static constexpr std::uint32_t beginning(PartKey part) { return places + 1 + part; }
  static_assert(places + 1 + part_keys <= 0x10000);

  // Most pairs of parts begin no sequence, which a bit of their hash says.
  static constexpr std::uint32_t pairs = 1u << 13;
  static constexpr std::uint32_t pair_of(const PartKey* keys) { return (keys[0] * 61u + keys[1]) % pairs; }

  std::array<std::uint64_t, pairs / 64> pairs_{};
  std::array<std::uint32_t, places> branches_{};
  std::array<std::uint16_t, places> leads_to_{}; // of each branch the sequence that ends there, from 1, and whether it goes on
};
extern const Sequences sequences;

} // namespace comet
