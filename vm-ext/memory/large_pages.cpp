#include "large_pages.h"

#ifndef COMET_PORTABLE
#include <sys/mman.h>
#endif

namespace comet {

void prefer_large_pages([[maybe_unused]] void* pages, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(pages, bytes, MADV_HUGEPAGE);
#endif
}

} // namespace comet
