#include "in_order.h"

#include <algorithm>
#include <numeric>

namespace comet {

std::vector<size_t> in_order(size_t count, const void* list, bool (*before)(const void* list, size_t a, size_t b)) {
  std::vector<size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  std::stable_sort(numbers.begin(), numbers.end(), [&](size_t a, size_t b) { return before(list, a, b); });
  return numbers;
}

} // namespace comet
