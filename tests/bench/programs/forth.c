#include "common.h"
// A Forth: a stack of numbers whose top is in a variable, a stack of return places, and words of code.
enum { LIT, DUP, DROP, SWAP, OVER, ADD, SUB, LESS, MOD, JUMP, JUMP0, CALL, EXIT, HALT };
enum { FIB = 0, FIB_MORE = 7, GCD = 21, GCD_DONE = 29, MAIN = 31, NEXT = 35, DONE = 51 };
static const i64 code[] = {
    // : fib  dup 2 < if exit then  dup 1 - fib  swap 2 - fib  + ;
    DUP, LIT, 2, LESS, JUMP0, FIB_MORE, EXIT,
    DUP, LIT, 1, SUB, CALL, FIB, SWAP, LIT, 2, SUB, CALL, FIB, ADD, EXIT,
    // : gcd  begin dup while swap over mod repeat drop ;
    DUP, JUMP0, GCD_DONE, SWAP, OVER, MOD, JUMP, GCD, DROP, EXIT,
    // : main  0 500000 begin dup while swap over 360360 gcd + swap 1 - repeat drop  27 fib + ;
    LIT, 0, LIT, 500000, DUP, JUMP0, DONE, SWAP, OVER, LIT, 360360, CALL, GCD, ADD, SWAP, LIT, 1, SUB, JUMP, NEXT,
    DROP, LIT, 27, CALL, FIB, ADD, HALT};
static i64 numbers[1000];
static const i64* places[1000];
u32 run(void) {
  const i64 *ip = code + MAIN, **returns = places;
  i64 top = 0, t, *rest = numbers;
  for (;;) switch (*ip++) {
      case LIT: *rest++ = top; top = *ip++; break;
      case DUP: *rest++ = top; break;
      case DROP: top = *--rest; break;
      case SWAP: t = rest[-1]; rest[-1] = top; top = t; break;
      case OVER: *rest++ = top; top = rest[-2]; break;
      case ADD: top = *--rest + top; break;
      case SUB: top = *--rest - top; break;
      case LESS: top = *--rest < top; break;
      case MOD: top = *--rest % top; break;
      case JUMP: ip = code + *ip; break;
      case JUMP0: ip = top == 0 ? code + *ip : ip + 1; top = *--rest; break;
      case CALL: *returns++ = ip + 1; ip = code + *ip; break;
      case EXIT: ip = *--returns; break;
      case HALT: return (u32)top;
    }
}
