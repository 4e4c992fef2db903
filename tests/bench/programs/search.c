#include "common.h"
#define N 8000000
#define M 10
static u8 text[N], pattern[M]; static u32 skip[256];
// Horspool: compare from the end; move on by what the text's byte at the pattern's end allows.
static __attribute__((noinline)) u32 count(void) {
  for (int c = 0; c < 256; c++) skip[c] = M;
  for (int k = 0; k < M - 1; k++) skip[pattern[k]] = M - 1 - k;
  u32 found = 0;
  for (u64 end = M - 1; end < N;) {
    u8 c = text[end];
    i64 k = M - 1;
    while (k >= 0 && text[end - (M - 1) + k] == pattern[k]) k--;
    if (k < 0) found += end;
    end += skip[c];
  }
  return found;
}
u32 run(void) {
  u32 s = 1, sum = 0;
  for (u32 i = 0; i < N; i++) { s = s * 1664525 + 1013904223; text[i] = 'a' + (s >> 30); }
  for (u32 p = 0; p < 12; p++) {
    for (u32 k = 0; k < M; k++) pattern[k] = text[p * 500000 + k];
    sum += count();
  }
  return sum;
}
