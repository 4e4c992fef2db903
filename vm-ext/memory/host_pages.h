// Zeroed memory of the host: the system's, which costs nothing until it is touched, or the embedder's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../comet.h"

namespace comet {

// Where memory comes from that grows with what programs do; see comet_allocator. It is copied to whoever gives back
// what it gave.
class HostMemory {
 public:
  HostMemory() = default; // the system's
  explicit HostMemory(const comet_allocator& allocator) : allocator_(allocator) {}

  bool of_system() const { return allocator_.allocate == nullptr; }
  // Null when it is refused; filled with zeros.
  void* reserve(std::size_t bytes) const;
  // The same, to be cleared by `clear` before it is used, unless it is the system's.
  void* reserve_unfilled(std::size_t bytes) const;
  void release(void* memory, std::size_t bytes) const;
  // Makes memory read as zeros, again or, where the embedder's is not zeroed, for the first time.
  void clear(void* memory, std::size_t bytes) const;
  bool zeroed() const { return of_system() || allocator_.zeroed != 0; }

 private:
  comet_allocator allocator_ = COMET_ALLOCATOR_INIT;
};

// The content of pages, once in the host's memory for all that show it: who changes what is shown changes a copy
// of its own. Without an operating system that does so, and in memory of the embedder's, everybody has a copy from the
// beginning.
class SharedPages {
 public:
  SharedPages(std::size_t bytes, const HostMemory& memory); // std::bad_alloc when it is refused
  ~SharedPages();
  SharedPages(const SharedPages&) = delete;
  SharedPages& operator=(const SharedPages&) = delete;

  // To be filled before anything shows it, and to be read; null when there are no bytes.
  std::uint8_t* data() const { return data_; }
  // Puts the content from `offset` on in the place of reserved memory. Both begin at a page of the host.
  void show(void* pages, std::size_t offset, std::size_t bytes) const noexcept;

 private:
  HostMemory memory_;
  std::size_t bytes_;
  int file_ = -1;
  std::uint8_t* data_ = nullptr;
};
// Makes memory that shows shared pages read as zeros again.
void stop_showing(void* pages, std::size_t bytes);

// A fixed number of zeroed elements in such memory; elements must be valid when all their bytes are zero.
template <class T> class LazyArray {
 public:
  explicit LazyArray(std::size_t count, const HostMemory& memory = {})
      : memory_(memory), count_(count), elements_(static_cast<T*>(memory.reserve(count * sizeof(T)))) {}
  ~LazyArray() { memory_.release(elements_, count_ * sizeof(T)); }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;
  explicit operator bool() const { return elements_ != nullptr; }
  T* data() const { return elements_; }
  std::size_t size() const { return count_; }
  void clear() { memory_.clear(elements_, count_ * sizeof(T)); }

 private:
  HostMemory memory_;
  std::size_t count_;
  T* elements_;
};

} // namespace comet
