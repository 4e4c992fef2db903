// Sorting, compiled once for all that is sorted.
#pragma once

#include <cstddef>
#include <vector>

namespace comet {

std::vector<size_t> in_order(size_t count, const void* list, bool (*before)(const void* list, size_t a, size_t b));

// The numbers 0 to count-1 in the order that `before(a, b)` gives; those of which neither is before the other keep theirs.
template <class Before> std::vector<size_t> in_order(size_t count, const Before& before) {
  return in_order(count, &before,
                  [](const void* list, size_t a, size_t b) { return (*static_cast<const Before*>(list))(a, b); });
}

} // namespace comet
