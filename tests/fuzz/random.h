// Random numbers that a seed repeats on every host (xorshift64*).
#ifndef COMET_TESTS_FUZZ_RANDOM_H
#define COMET_TESTS_FUZZ_RANDOM_H

#include <cstdint>
#include <initializer_list>
#include <iterator>

namespace fuzz {

class random_source {
 public:
  explicit random_source(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d) {
    if (state_ == 0) state_ = 1;
  }
  std::uint64_t word() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1d;
  }
  std::uint64_t below(std::uint64_t bound) { return word() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  // Of any magnitude.
  std::uint64_t magnitude() { return word() >> below(64); }
  std::uint64_t one_of(std::initializer_list<std::uint64_t> choices) {
    return std::begin(choices)[below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace fuzz

#endif
