// Handlers that do several instructions. Which ones there are stands in fused.def, which fusing/choose.cpp writes; see
// README.md. Nothing else may stand here: see enter.cpp.
#include "parts.h"
#include "sequences.h"

namespace comet {
namespace {

template <class... Parts> constexpr FusedSequence fused() {
  static_assert(sizeof...(Parts) >= 2 && sizeof...(Parts) <= longest_sequence);
  return {{Parts::key...}, sizeof...(Parts)};
}

constexpr FusedSequence all[] = {
#define FUSED(...) fused<__VA_ARGS__>(),
#include "fused.def"
#undef FUSED
};

} // namespace

extern const Handler fused_handlers[] = {
#define FUSED(...) run<__VA_ARGS__>,
#include "fused.def"
#undef FUSED
};

constexpr Sequences sequences{all};

} // namespace comet
