// What is fuzzed, one kind of input each. A target is tried by two programs: driver.cpp draws inputs from a seed, the
// same on every host; libfuzzer.cpp lets clang's libFuzzer look for those that reach what none did before.
#ifndef COMET_TESTS_FUZZ_TARGET_H
#define COMET_TESTS_FUZZ_TARGET_H

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <vector>

#include "random.h"

namespace fuzz {

using bytes = std::vector<std::uint8_t>;

// A promise that was not kept.
struct broken_promise : std::runtime_error {
  using std::runtime_error::runtime_error;
};
inline void require(bool kept, const char* promise) {
  if (!kept) throw broken_promise(promise);
}

// What each target defines, besides LLVMFuzzerTestOneInput, which throws broken_promise.

// Inputs to begin from, which are right. May be none.
std::vector<bytes> seeds();
// An input by chance, made from those.
bytes draw(random_source& random, const std::vector<bytes>& from);
// Makes lengths and checksums right, without which nothing else would be looked at.
void seal(bytes& input);
// What became of the inputs, in a line or a few.
void report(std::ostream& out);

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t length);

#endif
