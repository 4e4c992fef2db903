; A cycle through 64 megabytes, followed for 6,000,000 steps: what memory costs, whoever waits for it.
.equ N, (expt 2 24)
.text
_start:
        imm     r1, next
        imm     r2, 0
        imm     r4, 1664525
        imm     r5, 1013904223
fill:
        mul     r3, r2, r4
        add     r3, r3, r5
        andi    r3, r3, (- N 1)
        stx32   r1, r2, r3
        addi    r2, r2, 1
        blti_u  r2, N, fill

        imm     r2, 0                   ; r2: where we are
        imm     r3, 0                   ; r3: sum
        imm     r4, 6000000
step:
        ldxu32  r2, r1, r2
        add     r3, r3, r2
        addi    r4, r4, -1
        bnei    r4, 0, step

        zext32  r11, r3
        call    r10, print_result
        ret

.bss
next:   .zero   (* 4 N)

.include "result.s"
