#include "host_pages.h"

#include <cstdlib>
#include <cstring>
#include <new>

#ifndef COMET_PORTABLE
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace comet {

#ifdef COMET_PORTABLE

namespace {

// calloc leaves large blocks untouched on the systems that matter.
void* reserve_pages(std::size_t bytes) { return std::calloc(bytes, 1); }
void release_pages(void* pages, std::size_t) { std::free(pages); }
void clear_pages(void* pages, std::size_t bytes) { std::memset(pages, 0, bytes); }

} // namespace

SharedPages::SharedPages(std::size_t bytes, const HostMemory& memory)
    : memory_(memory), bytes_(bytes), data_(static_cast<std::uint8_t*>(memory.reserve_unfilled(bytes))) {
  if (data_ == nullptr) throw std::bad_alloc();
}
SharedPages::~SharedPages() { memory_.release(data_, bytes_); }
void SharedPages::show(void* pages, std::size_t offset, std::size_t bytes) const noexcept {
  std::memcpy(pages, data_ + offset, bytes);
}
void stop_showing(void* pages, std::size_t bytes) { std::memset(pages, 0, bytes); }

#else

namespace {

void* reserve_pages(std::size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

void release_pages(void* pages, std::size_t bytes) { munmap(pages, bytes); }

void clear_pages(void* pages, std::size_t bytes) {
  if (madvise(pages, bytes, MADV_DONTNEED) != 0) std::memset(pages, 0, bytes);
}

} // namespace

SharedPages::SharedPages(std::size_t bytes, const HostMemory& memory) : memory_(memory), bytes_(bytes) {
  if (bytes == 0) return;
  if (!memory.of_system()) {
    data_ = static_cast<std::uint8_t*>(memory.reserve_unfilled(bytes));
    if (data_ == nullptr) throw std::bad_alloc();
    return;
  }
  file_ = memfd_create("comet-pages", MFD_CLOEXEC);
  void* all = MAP_FAILED;
  if (file_ >= 0 && ftruncate(file_, static_cast<off_t>(bytes)) == 0)
    all = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (all == MAP_FAILED) {
    if (file_ >= 0) close(file_);
    throw std::bad_alloc();
  }
  data_ = static_cast<std::uint8_t*>(all);
}

SharedPages::~SharedPages() {
  if (data_ == nullptr) return;
  memory_.release(data_, bytes_);
  if (file_ >= 0) close(file_);
}

// A host that has no room for another mapping leaves the old one, which takes a copy.
void SharedPages::show(void* pages, std::size_t offset, std::size_t bytes) const noexcept {
  if (file_ < 0 || mmap(pages, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file_,
                        static_cast<off_t>(offset)) == MAP_FAILED)
    std::memcpy(pages, data_ + offset, bytes);
}

void stop_showing(void* pages, std::size_t bytes) {
  // beyond tests: the host has to refuse a mapping
  if (mmap(pages, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
    std::memset(pages, 0, bytes);
}

#endif

void* HostMemory::reserve_unfilled(std::size_t bytes) const {
  if (bytes == 0) bytes = 1;
  if (of_system()) return reserve_pages(bytes);
  try {
    return allocator_.allocate(allocator_.data, bytes);
  } catch (...) { // an embedder in C++ may have asked `new`
    return nullptr;
  }
}

void* HostMemory::reserve(std::size_t bytes) const {
  void* const memory = reserve_unfilled(bytes);
  if (memory != nullptr && !zeroed()) std::memset(memory, 0, bytes);
  return memory;
}

void HostMemory::release(void* memory, std::size_t bytes) const {
  if (memory == nullptr) return;
  if (bytes == 0) bytes = 1;
  if (of_system()) release_pages(memory, bytes);
  else allocator_.release(allocator_.data, memory, bytes);
}

void HostMemory::clear(void* memory, std::size_t bytes) const {
  if (of_system()) clear_pages(memory, bytes);
  else std::memset(memory, 0, bytes);
}

} // namespace comet
