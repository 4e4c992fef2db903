; The primes up to 4,000,000, counted sixteen times: stores that stride.
.equ N, 4000000
.text
_start:
        imm     r1, flags
        imm     r2, N
        imm     r3, 16                  ; r3: rounds left
        imm     r9, 1
round:
        imm     r4, 0                   ; r4: primes
        addi    r5, r1, 2
        addi    r6, r2, -1
        bfill   r5, r9, r6              ; all ones
        imm     r5, 2                   ; r5: the number looked at
look:
        ldxu8   r6, r1, r5
        beqi    r6, 0, crossed_out
        addi    r4, r4, 1
        mul     r6, r5, r5
        blt_u   r2, r6, crossed_out
cross_out:
        stx8    r1, r6, r0
        add     r6, r6, r5
        bge_u   r2, r6, cross_out
crossed_out:
        addi    r5, r5, 1
        bge_u   r2, r5, look
        addi    r3, r3, -1
        bnei    r3, 0, round

        mov     r11, r4
        call    r10, print_result
        ret

.bss
flags:  .zero   4000001

.include "result.s"
