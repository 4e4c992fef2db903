// Damage that any file can take.
#ifndef COMET_TESTS_FUZZ_DAMAGE_H
#define COMET_TESTS_FUZZ_DAMAGE_H

#include "target.h"

namespace fuzz {

// Values at which lengths, counts and addresses go wrong.
std::uint64_t awkward_number(random_source& random);

// Little-endian, so many bytes of it; what lies behind the end is left out.
std::uint64_t number_at(const bytes& file, std::size_t offset, std::size_t length);
void put(bytes& file, std::size_t offset, std::uint64_t value, std::size_t length);

// Changes something at or behind `at`, which lies within the file: a bit, a byte, a number, the length, a piece, which
// may come from another of the files.
void damage(bytes& file, std::size_t at, random_source& random, const std::vector<bytes>& files);

}  // namespace fuzz

#endif
