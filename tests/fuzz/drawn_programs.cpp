// For targets whose input is where the random numbers of a program begin: any 16 bytes are one.
#include "target.h"

namespace fuzz {

std::vector<bytes> seeds() { return {}; }
void seal(bytes&) {}

bytes draw(random_source& random, const std::vector<bytes>&) {
  bytes made(16);
  for (std::uint8_t& byte : made) byte = static_cast<std::uint8_t>(random.word());
  return made;
}

}  // namespace fuzz
