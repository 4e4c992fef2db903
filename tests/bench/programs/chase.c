#include "common.h"
#define N (1u << 24)
static u32 next[N];
// One cycle through all: the multiplier is 1 modulo 4, the addend odd.
u32 run(void) {
  for (u32 i = 0; i < N; i++) next[i] = (i * 1664525 + 1013904223) & (N - 1);
  u32 at = 0, sum = 0;
  for (u32 i = 0; i < 6000000; i++) { at = next[at]; sum += at; }
  return sum;
}
