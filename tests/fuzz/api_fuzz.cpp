// Sequences of calls of comet.h, which the bytes of an input stand for: see api/calls.h. Each is done twice, and has to
// end in the same. With TRACE set in the environment, each call is told of before it is made.
#include <cstdlib>

#include "api/calls.h"

namespace fuzz {
namespace {

struct {
  std::uint64_t calls, refused, instructions;
} counts;

}  // namespace

std::vector<bytes> seeds() { return {}; }
void seal(bytes&) {}

// Such bytes as no other draw was made from, or one of those with some changed.
bytes draw(random_source& random, const std::vector<bytes>& from) {
  if (from.empty() || random.one_in(4)) {
    bytes made(200 + random.below(4000));
    for (std::uint8_t& byte : made) byte = static_cast<std::uint8_t>(random.word());
    return made;
  }
  bytes made = from[random.below(from.size())];
  for (std::uint64_t changes = 1 + random.below(8); changes > 0 && !made.empty(); --changes)
    made[random.below(made.size())] = static_cast<std::uint8_t>(random.word());
  return made;
}

void report(std::ostream& out) {
  out << counts.calls << " calls, " << counts.refused << " of them refused; " << counts.instructions << " instructions\n";
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t length) {
  using namespace fuzz;
  static const bool traced = std::getenv("TRACE") != nullptr;
  std::uint64_t checksums[2] = {};
  for (std::uint64_t& checksum : checksums) {
    api_calls sequence(input, length, traced);
    sequence.take();
    sequence.end();
    checksum = sequence.checksum();
    counts.calls += sequence.calls();
    counts.refused += sequence.refused();
    counts.instructions += sequence.instructions();
  }
  if (checksums[0] != checksums[1]) throw broken_promise("the same calls ended differently");
  return 0;
}
