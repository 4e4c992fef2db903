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
