// Zeroed memory of the host that costs nothing until it is touched.
#pragma once

#include <cstddef>
#include <cstdint>

namespace comet {

// Null when the host refuses. Zero-filled.
void* reserve_pages(std::size_t bytes);
void release_pages(void* pages, std::size_t bytes);
// Makes reserved memory read as zeros again.
void clear_pages(void* pages, std::size_t bytes);

// The content of pages, once in the host's memory for all that show it: who changes what is shown changes a copy
// of its own. Without an operating system that does so, everybody has a copy from the beginning.
class SharedPages {
 public:
  explicit SharedPages(std::size_t bytes); // std::bad_alloc when the host refuses
  ~SharedPages();
  SharedPages(const SharedPages&) = delete;
  SharedPages& operator=(const SharedPages&) = delete;

  // To be filled before anything shows it, and to be read; null when there are no bytes.
  std::uint8_t* data() const { return data_; }
  // Puts the content from `offset` on in the place of reserved memory. Both begin at a page of the host.
  void show(void* pages, std::size_t offset, std::size_t bytes) const noexcept;

 private:
  std::size_t bytes_;
  int file_ = -1;
  std::uint8_t* data_ = nullptr;
};
// Makes memory that shows shared pages read as zeros again.
void stop_showing(void* pages, std::size_t bytes);

// A fixed number of zeroed elements in such memory; elements must be valid when all their bytes are zero.
template <class T> class LazyArray {
 public:
  explicit LazyArray(std::size_t count) : count_(count), elements_(static_cast<T*>(reserve_pages(count * sizeof(T)))) {}
  ~LazyArray() { release_pages(elements_, count_ * sizeof(T)); }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;
  explicit operator bool() const { return elements_ != nullptr; }
  T* data() const { return elements_; }
  std::size_t size() const { return count_; }
  void clear() { clear_pages(elements_, count_ * sizeof(T)); }

 private:
  std::size_t count_;
  T* elements_;
};

} // namespace comet
