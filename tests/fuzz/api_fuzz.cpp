// Random sequences of calls of comet.h: api_fuzz [-t] SEED COUNT
//
// Sequence number n has the seed SEED + n, so that `api_fuzz SEED+n 1` repeats it; -t tells of each call
// before it is made. Each sequence is done twice, and has to end in the same. Exits with 0 when nothing went
// wrong; what does go wrong shows as a crash, a report of a sanitizer, or a broken promise that is printed
// with its seed.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "api_calls.h"

int main(int count, char** arguments) {
  const bool traced = count > 1 && std::strcmp(arguments[1], "-t") == 0;
  if (traced) {
    --count;
    ++arguments;
  }
  if (count != 3) {
    std::fprintf(stderr, "usage: api_fuzz [-t] SEED COUNT\n");
    return 64;
  }
  constexpr unsigned steps = 120;
  const uint64_t seed = std::strtoull(arguments[1], nullptr, 0),
                 rounds = std::strtoull(arguments[2], nullptr, 0);
  uint64_t calls = 0, refused = 0, instructions = 0;
  for (uint64_t n = 0; n < rounds; ++n) {
    uint64_t checksums[2] = {};
    try {
      for (uint64_t& checksum : checksums) {
        fuzz::api_calls sequence(seed + n, traced);
        sequence.take(steps);
        sequence.end();
        checksum = sequence.checksum();
        calls += sequence.calls();
        refused += sequence.refused();
        instructions += sequence.instructions();
      }
      if (checksums[0] != checksums[1]) throw fuzz::broken_promise("the same calls ended differently");
    } catch (const fuzz::broken_promise& promise) {
      std::printf("not ok - seed %" PRIu64 ": %s\n%" PRIu64 " passed, 1 failed\n", seed + n, promise.what(),
                  n);
      return 1;
    }
  }
  std::printf("%" PRIu64 " calls, %" PRIu64 " of them refused; %" PRIu64 " instructions\n", calls, refused,
              instructions);
  std::printf("%" PRIu64 " passed, 0 failed\n", rounds);
  return 0;
}
