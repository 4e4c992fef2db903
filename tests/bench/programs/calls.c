#include "common.h"
#define NOT_INLINE __attribute__((noinline))
static NOT_INLINE u32 step(u32 x) { return x * 1664525 + 1013904223; }
static NOT_INLINE u32 least(u32 x, u32 y) { return x < y ? x : y; }
static NOT_INLINE u32 most(u32 x, u32 y) { return x > y ? x : y; }
static NOT_INLINE u32 clamp(u32 x, u32 low, u32 high) { return least(most(x, low), high); }
static NOT_INLINE u32 twice(u32 x) { return x + x; }
static NOT_INLINE u32 square(u32 x) { return x * x; }
static NOT_INLINE u32 invert(u32 x) { return ~x; }
static NOT_INLINE u32 halve(u32 x) { return x >> 1; }
static u32 (*const functions[])(u32) = {twice, square, invert, halve};
static NOT_INLINE u32 apply(u32 n, u32 x) { return functions[n](x); }
static NOT_INLINE int tak(int x, int y, int z) {
  return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}
u32 run(void) {
  u32 x = 1, sum = 0;
  for (u32 i = 0; i < 5000000; i++) {
    x = step(x);
    sum += clamp(apply(x >> 30, x), 1000000, 3000000000u);
  }
  for (int i = 0; i < 100; i++) sum += tak(18, 12, 6);
  return sum;
}
