; Many small functions: calls, calls by table, calls as arguments of calls.
.equ ROUNDS, 5000000
.text
_start:
        imm     r1, 1                   ; r1: x
        imm     r2, 0                   ; r2: sum
        imm     r3, ROUNDS
        imm     r4, 3000000000
round:
        mov     r21, r1
        call    r20, step
        mov     r1, r21
        shri32_u r31, r1, 30
        mov     r32, r1
        call    r30, apply
        mov     r21, r31
        imm     r22, 1000000
        mov     r23, r4
        call    r20, clamp
        add32   r2, r2, r21
        addi    r3, r3, -1
        bnei    r3, 0, round

        imm     r3, 100
again:
        imm     r21, 18
        imm     r22, 12
        imm     r23, 6
        call    r20, tak
        add32   r2, r2, r21
        addi    r3, r3, -1
        bnei    r3, 0, again
        mov     r11, r2
        call    r10, print_result
        ret

step:                                   ; (x) -> the generator's next number
        muli    r1, r1, 1664525
        addi32  r1, r1, 1013904223
        ret
least:                                  ; (x, y) -> the smaller
        min_u   r1, r1, r2
        ret
most:                                   ; (x, y) -> the larger
        max_u   r1, r1, r2
        ret
clamp:                                  ; (x, low, high) -> what is nearest to x from low to high
        mov     r11, r1
        mov     r12, r2
        call    r10, most
        mov     r12, r3
        call    r10, least
        mov     r1, r11
        ret
twice:
        add32   r1, r1, r1
        ret
square:
        mul32   r1, r1, r1
        ret
invert:
        not     r1, r1
        zext32  r1, r1
        ret
halve:
        shri32_u r1, r1, 1
        ret
apply:                                  ; (n, x) -> what function n gives for x
        imm     r3, functions
        ldxu64  r3, r3, r1
        mov     r11, r2
        callr   r10, r3
        mov     r1, r11
        ret
tak:                                    ; (x, y, z)
        bge_s   r2, r1, tak_done
        addi    r11, r1, -1
        mov     r12, r2
        mov     r13, r3
        call    r10, tak
        addi    r21, r2, -1
        mov     r22, r3
        mov     r23, r1
        call    r20, tak
        addi    r31, r3, -1
        mov     r32, r1
        mov     r33, r2
        call    r30, tak
        mov     r1, r11
        mov     r2, r21
        mov     r3, r31
        tail    tak
tak_done:
        mov     r1, r3
        ret

.rodata
.align 8
functions:
        .quad   twice, square, invert, halve

.include "result.s"
