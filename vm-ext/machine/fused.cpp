// Handlers that do several instructions. Which ones there are stands in fused.def, which fusing/choose.cpp writes; see
// README.md. Nothing else may stand here: see enter.cpp.
#include "parts.h"

namespace comet {
namespace {

template <class... Parts> constexpr FusedHandler fused() {
  static_assert(sizeof...(Parts) >= 2 && sizeof...(Parts) <= longest_sequence);
  return {run<Parts...>, {Parts::key...}, sizeof...(Parts)};
}

constexpr FusedHandler all[] = {
#define FUSED(...) fused<__VA_ARGS__>(),
#include "fused.def"
#undef FUSED
};

} // namespace

constexpr std::span<const FusedHandler> fused_handlers = all;

} // namespace comet
