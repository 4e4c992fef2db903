#include "allocations.h"

#include <malloc.h>

#include <cstdlib>
#include <new>
#include <string>

#include "target.h"

namespace {

thread_local bool counting = false;
thread_local std::ptrdiff_t held = 0, most = 0;

void* allocate(std::size_t length) {
  void* const memory = std::malloc(length == 0 ? 1 : length);
  if (memory != nullptr && counting) {
    held += static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    if (held > most) most = held;
  }
  return memory;
}

void release(void* memory) {
  if (counting && memory != nullptr) held -= static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t length) {
  if (void* const memory = allocate(length)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t length, const std::nothrow_t&) noexcept { return allocate(length); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }

namespace fuzz {

allocations::allocations() {
  counting = true;
  held = most = 0;
}
allocations::~allocations() { counting = false; }
std::size_t allocations::peak() const { return static_cast<std::size_t>(most); }

void require_modest(const allocations& taken, std::size_t length) {
  constexpr std::size_t multiple = 48, besides = 64 << 10;
  if (taken.peak() > multiple * length + besides)
    throw broken_promise("a file of " + std::to_string(length) + " bytes made the reader take " +
                         std::to_string(taken.peak()));
}

}  // namespace fuzz
