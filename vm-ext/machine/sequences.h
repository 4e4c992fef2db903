// Which fused handler serves a sequence of instructions: a tree, whose branches are parts.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "fast.h"

namespace comet {

class Sequences {
 public:
  // All that there are; made when it is first asked for.
  static const Sequences& all();

  // The handler that does the most of these instructions, from the first on; null when there is none that does
  // more than one. They must stand in slots one behind the other, which it leaves as they are.
  Handler longest(const PartKey* keys, std::size_t count) const {
    Handler handler = nullptr;
    std::uint32_t node = begins_[keys[0]];
    for (std::size_t i = 1; node != 0 && i < count; ++i) {
      node = next(node, keys[i]);
      if (node != 0 && handlers_[node] != nullptr) handler = handlers_[node];
    }
    return handler;
  }

 private:
  // From a node by a part to another; none: 0. They lie in a table where their hash, or the next free place, is.
  struct Branch {
    std::uint16_t node;
    PartKey part;
    std::uint16_t next;
  };

  Sequences();
  std::uint32_t next(std::uint32_t node, PartKey part) const { return place(node, part)->next; }
  const Branch* place(std::uint32_t node, PartKey part) const {
    std::uint32_t hash = (node << 16 | part) * 0x9e3779b1u >> shift_;
    while (branches_[hash].next != 0 && (branches_[hash].node != node || branches_[hash].part != part)) hash = (hash + 1) & mask_;
    return &branches_[hash];
  }

  std::array<std::uint16_t, part_keys> begins_{}; // the node that a first part leads to
  std::vector<Branch> branches_;
  std::vector<Handler> handlers_{nullptr}; // of the sequences that end at each node
  unsigned shift_ = 0;
  std::uint32_t mask_ = 0;
};

} // namespace comet
