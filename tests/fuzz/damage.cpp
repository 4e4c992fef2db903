#include "damage.h"

namespace fuzz {

std::uint64_t awkward_number(random_source& random) {
  return random.one_of({0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, UINT32_MAX,
                        std::uint64_t{1} << 48, INT64_MAX, UINT64_MAX - 7, UINT64_MAX - 0xffff, UINT64_MAX}) +
         (random.one_in(4) ? random.below(16) : 0);
}

std::uint64_t number_at(const bytes& file, std::size_t offset, std::size_t length) {
  std::uint64_t value = 0;
  for (std::size_t i = length; i-- > 0;)
    if (offset + i < file.size()) value = value << 8 | file[offset + i];
  return value;
}

void put(bytes& file, std::size_t offset, std::uint64_t value, std::size_t length) {
  for (std::size_t i = 0; i < length && offset + i < file.size(); ++i, value >>= 8)
    file[offset + i] = static_cast<std::uint8_t>(value);
}

void damage(bytes& file, std::size_t at, random_source& random, const std::vector<bytes>& files) {
  const auto first = file.begin() + static_cast<std::ptrdiff_t>(at);
  const auto length = static_cast<std::ptrdiff_t>(std::min<std::size_t>(random.below(32) + 1, file.size() - at));
  switch (random.below(8)) {
    case 0: file[at] ^= static_cast<std::uint8_t>(1u << random.below(8)); break;
    case 1: file[at] = static_cast<std::uint8_t>(random.word()); break;
    case 2:
    case 3: put(file, at, awkward_number(random), std::size_t{1} << random.below(4)); break;
    case 4: file.resize(at); break;
    case 5: file.insert(file.end(), random.below(64), static_cast<std::uint8_t>(random.word())); break;
    case 6: {
      const bytes& other = files[random.below(files.size())];
      if (other.empty()) break;
      const std::size_t from = random.below(other.size());
      const std::size_t count = std::min({static_cast<std::size_t>(random.below(64)) + 1, other.size() - from, file.size() - at});
      std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(from), count, first);
      break;
    }
    default: {  // everything behind it moves
      const bytes piece(first, first + length);
      if (random.one_in(2))
        file.erase(first, first + length);
      else
        file.insert(first, piece.begin(), piece.end());
    }
  }
}

}  // namespace fuzz
