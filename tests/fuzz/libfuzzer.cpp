// Helps libFuzzer to inputs that get further: as often as it changes bytes by itself, the target draws one from the
// corpus's, and most get right lengths and checksums.
#include <algorithm>

#include "target.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* input, std::size_t length, std::size_t most);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* input, std::size_t length, std::size_t most,
                                               unsigned seed) {
  fuzz::random_source random(seed);
  fuzz::bytes made(input, input + length);
  if (random.one_in(2)) {
    made = fuzz::draw(random, {made});
  } else {
    made.resize(most);
    made.resize(LLVMFuzzerMutate(made.data(), length, most));
    if (!random.one_in(16)) fuzz::seal(made);
  }
  made.resize(std::min(made.size(), most));
  std::copy(made.begin(), made.end(), input);
  return made.size();
}
