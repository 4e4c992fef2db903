// Random numbers that a seed repeats on every host (xorshift64*); or those that the bytes of an input stand for.
#ifndef COMET_TESTS_FUZZ_RANDOM_H
#define COMET_TESTS_FUZZ_RANDOM_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>

namespace fuzz {

class random_source {
 public:
  explicit random_source(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d) {
    if (state_ == 0) state_ = 1;
  }
  // Takes the bytes, which have to stay, as long as they last, a few for each number; then it is random, with a seed that
  // they give.
  random_source(const std::uint8_t* bytes, std::size_t length) : random_source(mixed(bytes, length)) {
    next_ = bytes;
    end_ = bytes + length;
  }
  // Whether the bytes are used up; always, where there are none.
  bool at_end() const { return next_ == end_; }

  std::uint64_t word() { return at_end() ? draw() : take(8); }
  std::uint64_t below(std::uint64_t bound) {
    if (at_end()) return draw() % bound;
    return take(bound <= 1 ? 0 : bound <= 256 ? 1 : bound <= 65536 ? 2 : 8) % bound;
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  // Of any magnitude.
  std::uint64_t magnitude() {
    const std::uint64_t value = word();
    return value >> below(64);
  }
  std::uint64_t one_of(std::initializer_list<std::uint64_t> choices) {
    return std::begin(choices)[below(choices.size())];
  }

 private:
  static std::uint64_t mixed(const std::uint8_t* bytes, std::size_t length) {
    std::uint64_t value = length;
    for (std::size_t n = 0; n < length; ++n) value = (value ^ bytes[n]) * 0x100000001b3;
    return value;
  }
  std::uint64_t draw() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1d;
  }
  std::uint64_t take(std::ptrdiff_t count) {
    std::uint64_t value = 0;
    for (count = std::min(count, end_ - next_); count > 0; --count) value = value << 8 | *next_++;
    return value;
  }

  std::uint64_t state_;
  const std::uint8_t* next_ = nullptr;
  const std::uint8_t* end_ = nullptr;
};

}  // namespace fuzz

#endif
