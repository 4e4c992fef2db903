; fib(35) by recursion: calls and windows.
.text
_start:
        imm     r11, 35
        call    r10, fib
        call    r10, print_result
        ret

fib:                                    ; (n) -> fib(n)
        blti_u  r1, 2, fib_done
        addi    r3, r1, -1
        call    r2, fib                 ; r3: fib(n-1)
        addi    r5, r1, -2
        call    r4, fib                 ; r5: fib(n-2)
        add     r1, r3, r5
fib_done:
        ret

.include "result.s"
