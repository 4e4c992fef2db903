#include "sequences.h"

#include <bit>

namespace comet {

const Sequences& Sequences::all() {
  static const Sequences sequences;
  return sequences;
}

Sequences::Sequences() {
  std::size_t parts = 0;
  for (const FusedHandler& each : fused_handlers) parts += each.length;
  branches_.resize(std::bit_ceil(2 * parts + 1));
  mask_ = static_cast<std::uint32_t>(branches_.size() - 1);
  shift_ = 32 - static_cast<unsigned>(std::countr_zero(branches_.size()));
  const auto node = [this] {
    handlers_.push_back(nullptr);
    return static_cast<std::uint16_t>(handlers_.size() - 1);
  };
  for (const FusedHandler& each : fused_handlers) {
    std::uint16_t& begin = begins_[each.keys[0]];
    if (begin == 0) begin = node();
    std::uint16_t at = begin;
    for (std::size_t i = 1; i < each.length; ++i) {
      auto* const branch = const_cast<Branch*>(place(at, each.keys[i]));
      if (branch->next == 0) *branch = {at, each.keys[i], node()};
      at = branch->next;
    }
    handlers_[at] = each.handler;
  }
}

} // namespace comet
