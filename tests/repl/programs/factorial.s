; The factorial of 5 by recursion: calls, returns, one local variable kept across a call.
_start:
        imm     r11, 5
        call    r10, factorial
        st64    r0, r11, (address "result")
        ret

factorial:
        blti_u  r1, 2, base
        addi    r3, r1, -1
        call    r2, factorial
        mul     r1, r1, r3
        ret
base:
        imm     r1, 1
        ret

.data
result: .quad 0
