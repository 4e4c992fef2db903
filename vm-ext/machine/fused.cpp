// Handlers that do several instructions. Which ones there are stands in fused.def, which choose-fused.scm
// writes; see README.md.
#include <algorithm>
#include <array>
#include <vector>

#include "parts.h"

namespace comet {
namespace {

constexpr std::size_t longest = 6;

struct Fused {
  std::array<PartKey, longest> keys;
  std::size_t length;
  Handler handler;
};

template <class... Parts> Fused fused() {
  static_assert(sizeof...(Parts) >= 2 && sizeof...(Parts) <= longest);
  return Fused{{Parts::key...}, sizeof...(Parts), run<Parts...>};
}

// All of them by their first two parts, the longest first.
class Table {
 public:
  Table()
      : all_{
#define FUSED(...) fused<__VA_ARGS__>(),
#include "fused.def"
#undef FUSED
        } {
    std::sort(all_.begin(), all_.end(), [](const Fused& x, const Fused& y) {
      if (x.keys[0] != y.keys[0]) return x.keys[0] < y.keys[0];
      return x.keys[1] != y.keys[1] ? x.keys[1] < y.keys[1] : x.length > y.length;
    });
    std::size_t place = 0;
    for (std::size_t key = 0; key < begin_.size(); ++key) {
      while (place < all_.size() && all_[place].keys[0] < key) ++place;
      begin_[key] = static_cast<std::uint16_t>(place);
    }
  }

  Handler find(const PartKey* keys, std::size_t count) const {
    const auto end = all_.begin() + begin_[keys[0] + 1u];
    auto each = std::lower_bound(all_.begin() + begin_[keys[0]], end, keys[1],
                                 [](const Fused& fused, PartKey second) { return fused.keys[1] < second; });
    for (; each != end && each->keys[1] == keys[1]; ++each)
      if (each->length <= count && std::equal(keys + 2, keys + each->length, each->keys.begin() + 2)) return each->handler;
    return nullptr;
  }

 private:
  std::vector<Fused> all_;
  std::array<std::uint16_t, part_keys + 1> begin_;
};

} // namespace

Handler fused_handler(const PartKey* keys, std::size_t count) {
  static const Table table;
  return table.find(keys, count);
}

} // namespace comet
