// How much memory a reader takes: malformed files must not make it take more than a small multiple of their length.
#ifndef COMET_TESTS_FUZZ_ALLOCATIONS_H
#define COMET_TESTS_FUZZ_ALLOCATIONS_H

#include <cstddef>

namespace fuzz {

// Counts what operator new gives, on the thread that made it, as long as it lives.
class allocations {
 public:
  allocations();
  ~allocations();
  allocations(const allocations&) = delete;
  allocations& operator=(const allocations&) = delete;
  // The most bytes at one time.
  std::size_t peak() const;
};

// Throws broken_promise when so much is too much for a file of that length.
void require_modest(const allocations& taken, std::size_t length);

}  // namespace fuzz

#endif
