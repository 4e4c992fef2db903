// Interpreters, each a loop around a switch: of registers, of bytes with a stack, of instructions that are structures.
#include "compiled.h"

#define I(operation, a, b, c) ((operation) | (a) << 8 | (b) << 16 | (u32)(c) << 24)
enum { LOADK, MOVE, ADD, SUB, MUL, ADDK, JUMP, LESS, EQUALK, STORE, FETCH, SHIFT, XOR, CALL, RETURN };
static const u32 words[] = {
    I(LOADK, 0, 0, 0),   I(LOADK, 1, 1, 0),  I(LOADK, 2, 200, 0),   I(LOADK, 3, 17, 0), I(ADD, 0, 0, 1),    I(SHIFT, 4, 0, 3),
    I(XOR, 0, 0, 4),     I(STORE, 0, 3, 0),  I(ADDK, 3, 3, 1),      I(FETCH, 5, 3, 0),  I(ADD, 0, 0, 5),    I(ADDK, 1, 1, 1),
    I(LESS, 1, 2, 0),    I(JUMP, 246, 255, 0), I(EQUALK, 0, 0, 0),  I(MOVE, 6, 0, 0),   I(MUL, 6, 6, 1),    I(RETURN, 6, 0, 0)};
static u32 cells[256];
NOINLINE static u32 registers_machine(const u32* pc) {
  u32 r[16] = {0};
  for (;;) {
    const u32 i = *pc++, a = i >> 8 & 15, b = i >> 16 & 255, c = i >> 24;
    switch (i & 255) {
      case LOADK: r[a] = b | c << 8; break;
      case MOVE: r[a] = r[b & 15]; break;
      case ADD: r[a] = r[b & 15] + r[c & 15]; break;
      case SUB: r[a] = r[b & 15] - r[c & 15]; break;
      case MUL: r[a] = r[b & 15] * r[c & 15]; break;
      case ADDK: r[a] = r[b & 15] + c; break;
      case JUMP: pc += (i32)i >> 8 << 16 >> 16; break;
      case LESS: if (!(r[a] < r[b & 15])) pc++; break;
      case EQUALK: if (r[a] == c) pc++; break;
      case STORE: cells[r[b & 15] & 255] = r[a]; break;
      case FETCH: r[a] = cells[r[b & 15] & 255]; break;
      case SHIFT: r[a] = r[b & 15] >> c; break;
      case XOR: r[a] = r[b & 15] ^ r[c & 15]; break;
      case CALL: r[a] = registers_machine(pc + b); break;
      case RETURN: return r[a];
    }
  }
}

enum { PUSH, POP, PLUS, TIMES, AND, NOT, LOAD, SAVE, LOOP, BACK, OUT, END };
static const u8 bytes[] = {PUSH, 0,    SAVE, 0, PUSH,  250, SAVE, 1, LOOP, 1,    15, LOAD, 0,   LOAD,
                           1,    PLUS, PUSH, 3, TIMES, NOT, SAVE, 0, BACK, 14,   LOAD, 0,  OUT, END};
static u32 written;
NOINLINE static void bytes_machine(const u8* p) {
  static i32 stack[64], variables[8];
  i32* top = stack;
  for (;;) switch (*p++) {
      case PUSH: *top++ = *p++; break;
      case POP: top--; break;
      case PLUS: top--; top[-1] += top[0]; break;
      case TIMES: top--; top[-1] *= top[0]; break;
      case AND: top--; top[-1] &= top[0]; break;
      case NOT: top[-1] = ~top[-1]; break;
      case LOAD: *top++ = variables[*p++]; break;
      case SAVE: variables[*p++] = *--top; break;
      case LOOP: if (variables[p[0]]-- == 0) p += p[1]; else p += 2; break;
      case BACK: p -= *p + 1; break;
      case OUT: written = written * 31 + (u32)*--top; break;
      case END: return;
    }
}

struct step {
  u8 operation, to;
  u32 from;
  i64 number;
};
enum { SET, PLUS_OF, MINUS_OF, HALVE, ODD, UNLESS, UNTIL, GO, STOP };
static const struct step steps[] = {{SET, 0, 0, 27}, {SET, 1, 0, 0}, {ODD, 2, 0, 0}, {UNLESS, 2, 7, 0}, {PLUS_OF, 3, 0, 0},
                                    {PLUS_OF, 0, 3, 1}, {GO, 0, 8, 0}, {HALVE, 0, 0, 0}, {SET, 3, 0, 0}, {PLUS_OF, 3, 0, 0},
                                    {SET, 4, 0, 1}, {PLUS_OF, 1, 4, 0}, {UNTIL, 0, 2, 1}, {STOP, 1, 0, 0}};
NOINLINE static i64 steps_machine(const struct step* program, i64 first) {
  static i64 v[8];
  const struct step* at = program;
  i64 counted = 0;
  for (;; at++) {
    counted++;
    switch (at->operation) {
      case SET: v[at->to] = at == program ? first : at->number; break;
      case PLUS_OF: v[at->to] += v[at->from] + at->number; break;
      case MINUS_OF: v[at->to] -= v[at->from] + at->number; break;
      case HALVE: v[at->to] = v[at->from] >> 1; break;
      case ODD: v[at->to] = v[at->from] & 1; break;
      case UNLESS: if (v[at->to] == 0) at = program + at->from - 1; break;
      case UNTIL: if (v[at->to] > at->number && counted < 1000) at = program + at->from - 1; break;
      case GO: at = program + at->from - 1; break;
      case STOP: return v[at->to] + counted;
    }
  }
}

static u32 run(void) {
  u32 sum = 0;
  for (u32 round = 0; round < 300; round++) {
    sum = sum * 3 + registers_machine(words);
    written = round;
    bytes_machine(bytes);
    sum = sum * 3 + written;
    sum = sum * 3 + (u32)steps_machine(steps, 19 + round);
    sum = sum * 3 + (u32)steps_machine(steps, 1027 + round);
  }
  return sum;
}
