#include "host_pages.h"

#include <cstdlib>
#include <cstring>

#ifndef COMET_PORTABLE
#include <sys/mman.h>
#endif

namespace comet {

#ifdef COMET_PORTABLE

// calloc leaves large blocks untouched on the systems that matter.
void* reserve_pages(std::size_t bytes) { return std::calloc(bytes == 0 ? 1 : bytes, 1); }
void release_pages(void* pages, std::size_t) { std::free(pages); }
void clear_pages(void* pages, std::size_t bytes) { std::memset(pages, 0, bytes); }

#else

void* reserve_pages(std::size_t bytes) {
  if (bytes == 0) bytes = 1;
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

void release_pages(void* pages, std::size_t bytes) {
  if (pages != nullptr) munmap(pages, bytes == 0 ? 1 : bytes);
}

void clear_pages(void* pages, std::size_t bytes) {
  if (madvise(pages, bytes, MADV_DONTNEED) != 0) std::memset(pages, 0, bytes);
}

#endif

} // namespace comet
