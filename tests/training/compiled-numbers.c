// Numbers: a filter over samples, systems of equations, a polynomial, fractions of integers.
#include "compiled.h"

static double samples[256], rows[8][9];
NOINLINE static double filter(void) {
  double low = 0, high = 0;
  for (u32 i = 0; i < 256; i++) samples[i] = (double)((i32)(i * 37 % 101) - 50);
  for (u32 i = 2; i < 254; i++) {
    const double x = 0.1 * samples[i - 2] + 0.2 * samples[i - 1] + 0.4 * samples[i] + 0.2 * samples[i + 1] + 0.1 * samples[i + 2];
    if (x < 0) low += x * x;
    else high += x;
    samples[i] = x;
  }
  return high - low / 2;
}
NOINLINE static double solve(void) {
  double x[8], sum = 0;
  for (u32 i = 0; i < 8; i++)
    for (u32 j = 0; j < 9; j++) rows[i][j] = i == j ? 10.0 : (double)((i * 5 + j * 3) % 7);
  for (u32 k = 0; k < 8; k++)
    for (u32 i = k + 1; i < 8; i++) {
      const double f = rows[i][k] / rows[k][k];
      for (u32 j = k; j < 9; j++) rows[i][j] -= f * rows[k][j];
    }
  for (i32 i = 7; i >= 0; i--) {
    double v = rows[i][8];
    for (i32 j = i + 1; j < 8; j++) v -= rows[i][j] * x[j];
    sum += x[i] = v / rows[i][i];
  }
  return sum;
}
NOINLINE static double root(double low, double high) {
  while (high - low > 1e-9) {
    const double x = (low + high) / 2;
    if (((x - 2) * x + 3) * x - 7 < 0) low = x;
    else high = x;
  }
  return low;
}
NOINLINE static u32 divisor(u32 a, u32 b) {
  while (b != 0) {
    const u32 rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static u32 run(void) {
  double sum = 0;
  u32 common = 0;
  for (u32 round = 0; round < 200; round++) {
    sum += filter();
    for (u32 i = 0; i < 4; i++) sum += solve();
    for (u32 i = 0; i < 8; i++) sum += root(0, 10 + i);
    for (u32 i = 1; i < 40; i++) common += divisor(round * 120 + i, i * 84);
  }
  return (u32)(i64)(sum * 100) + common;
}
