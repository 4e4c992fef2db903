// What single operations compute: pure functions on 64-bit register values.
//
// Floating-point results are those of IEEE 754 in round-to-nearest-even, except that every NaN result is
// the canonical one, so that hosts and compilers cannot differ. They rely on the caller having set the
// host's floating-point environment to its default (FloatingPointScope in runner.cpp) and on being
// compiled without contraction.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../comet.h"

namespace comet::arithmetic {
// A copy for each file: what stands beside handlers need not save registers (see enter.cpp), so that no other file may
// call it.
namespace {

using u64 = std::uint64_t;
using s64 = std::int64_t;

constexpr std::uint8_t u8(u64 x) { return static_cast<std::uint8_t>(x); }
constexpr std::uint16_t u16(u64 x) { return static_cast<std::uint16_t>(x); }
constexpr std::uint32_t u32(u64 x) { return static_cast<std::uint32_t>(x); }
constexpr s64 s8(u64 x) { return static_cast<std::int8_t>(x); }
constexpr s64 s16(u64 x) { return static_cast<std::int16_t>(x); }
constexpr std::int32_t s32(u64 x) { return static_cast<std::int32_t>(x); }
constexpr s64 sg(u64 x) { return static_cast<s64>(x); }

constexpr s64 lowest64 = std::numeric_limits<s64>::min();
constexpr std::int32_t lowest32 = std::numeric_limits<std::int32_t>::min();

inline u64 mulh_u(u64 b, u64 c) {
  __extension__ using wide = unsigned __int128;
  return static_cast<u64>((static_cast<wide>(b) * c) >> 64);
}
inline u64 mulh_s(u64 b, u64 c) { return mulh_u(b, c) - (sg(b) < 0 ? c : 0) - (sg(c) < 0 ? b : 0); }
inline u64 mulh_su(u64 b, u64 c) { return mulh_u(b, c) - (sg(b) < 0 ? c : 0); }

// Quotients and remainders for operands that were checked, or with the results that RISC-V defines.
inline u64 quotient_s(u64 b, u64 c) { return c == ~u64{0} ? 0 - b : static_cast<u64>(sg(b) / sg(c)); }
inline u64 remainder_s(u64 b, u64 c) { return c == ~u64{0} ? 0 : static_cast<u64>(sg(b) % sg(c)); }
inline u64 quotient32_s(u64 b, u64 c) { return u32(s32(c) == -1 ? 0 - b : static_cast<u64>(s64{s32(b) / s32(c)})); }
inline u64 remainder32_s(u64 b, u64 c) { return s32(c) == -1 ? 0 : u32(static_cast<u64>(s64{s32(b) % s32(c)})); }

inline comet_trap division_trap(bool by_zero, bool overflows) {
  return by_zero ? COMET_TRAP_DIVIDE : overflows ? COMET_TRAP_OVERFLOW : COMET_TRAP_NONE;
}

// ---- floating point

inline double f64(u64 bits) { return std::bit_cast<double>(bits); }
inline float f32(u64 bits) { return std::bit_cast<float>(u32(bits)); }
// A branch that is never taken costs less than waiting for the choice of a value, into which compilers would
// make it but for the empty statement.
template <class Float> [[gnu::always_inline]] inline bool is_nan(Float x) {
  if (x == x) [[likely]] return false;
  __asm__ volatile("");
  return true;
}
inline u64 bits(double x) { return is_nan(x) ? u64{0x7ff8000000000000} : std::bit_cast<u64>(x); }
inline u64 bits(float x) { return is_nan(x) ? u64{0x7fc00000} : std::bit_cast<std::uint32_t>(x); }

constexpr u64 sign64 = u64{1} << 63;
constexpr u64 sign32 = u64{1} << 31;

// Equal operands differ at most in the sign of zero, where OR makes the minimum and AND the maximum.
template <class Float> u64 minimum(Float x, Float y) {
  if (x != x || y != y) return bits(std::numeric_limits<Float>::quiet_NaN());
  if (x == y) return std::signbit(x) ? bits(x) : bits(y);
  return bits(x < y ? x : y);
}
template <class Float> u64 maximum(Float x, Float y) {
  if (x != x || y != y) return bits(std::numeric_limits<Float>::quiet_NaN());
  if (x == y) return std::signbit(x) ? bits(y) : bits(x);
  return bits(x > y ? x : y);
}
template <class Float> u64 minimum_number(Float x, Float y) { return x != x ? bits(y) : y != y ? bits(x) : minimum(x, y); }
template <class Float> u64 maximum_number(Float x, Float y) { return x != x ? bits(y) : y != y ? bits(x) : maximum(x, y); }

inline u64 classify(u64 value, unsigned exponent_bits, unsigned fraction_bits) {
  const u64 fraction = value & ((u64{1} << fraction_bits) - 1);
  const u64 exponents = (u64{1} << exponent_bits) - 1;
  const u64 exponent = (value >> fraction_bits) & exponents;
  const bool negative = (value >> (fraction_bits + exponent_bits) & 1) != 0;
  if (exponent == exponents && fraction != 0) return u64{1} << ((fraction >> (fraction_bits - 1)) != 0 ? 9 : 8);
  const unsigned magnitude = exponent == exponents ? 3 : exponent != 0 ? 2 : fraction != 0 ? 1 : 0;
  return u64{1} << (negative ? 3 - magnitude : 4 + magnitude);
}

// Whether x truncated is within (below, above); the bounds are exact in f64, as is every f32.
inline comet_trap conversion_trap(double x, bool above_lower_bound, double upper_bound) {
  if (x != x) return COMET_TRAP_INVALID;
  return above_lower_bound && x < upper_bound ? COMET_TRAP_NONE : COMET_TRAP_OVERFLOW;
}
inline comet_trap trap_s32(double x) { return conversion_trap(x, x > -2147483649.0, 2147483648.0); }
inline comet_trap trap_u32(double x) { return conversion_trap(x, x > -1.0, 4294967296.0); }
inline comet_trap trap_s64(double x) { return conversion_trap(x, x >= -9223372036854775808.0, 9223372036854775808.0); }
inline comet_trap trap_u64(double x) { return conversion_trap(x, x > -1.0, 18446744073709551616.0); }

template <class Integer> u64 saturate(double x, comet_trap trap) {
  if (trap == COMET_TRAP_NONE) return static_cast<std::make_unsigned_t<Integer>>(static_cast<Integer>(x));
  if (x != x) return 0;
  using limits = std::numeric_limits<Integer>;
  return static_cast<std::make_unsigned_t<Integer>>(x < 0 ? limits::min() : limits::max());
}

} // namespace
} // namespace comet::arithmetic
