; Machines: an interpreter of bytes by a jump table, one by addresses, a state machine, life on a torus, a bignum,
; and small functions that call each other.
.equ SIDE, 64
.text
_start: imm     r20, 3
        imm     r21, 0
round:  call    r30, bytes_machine
        add     r21, r21, r31
        call    r30, states
        add     r21, r21, r31
        call    r30, life
        add     r21, r21, r31
        call    r30, factorial
        add     r21, r21, r31
        imm     r31, 2
        imm     r32, 60
        call    r30, ackermann
        add     r21, r21, r31
        call    r30, functions
        add     r21, r21, r31
        addi    r20, r20, -1
        bnei    r20, 0, round
        zext32  r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

bytes_machine:                          ; r1: program, r2: accumulator, r3: counter
        imm     r1, program
        imm     r2, 0
        imm     r3, 30000
step:   ldu8    r4, r1
        addi    r1, r1, 1
        jtab    r4, 6, operations
        brk
.align 4
operations:
        (map (lambda (name) (list '.word (- (address name) (address "operations"))))
             '("op_add" "op_shift" "op_xor" "op_less" "op_loop" "op_end"))
op_add: ldu8    r5, r1
        addi    r1, r1, 1
        add     r2, r2, r5
        jump    step
op_shift:
        shli    r5, r2, 3
        add32   r2, r2, r5
        jump    step
op_xor: xor     r2, r2, r3
        jump    step
op_less:
        addi    r3, r3, -1
        jump    step
op_loop:
        imm     r1, program
        bnei    r3, 0, step
        addi    r1, r1, 8
        jump    step
op_end: mov     r1, r2
        ret

states:                                 ; numbers in a text, by states that are addresses
        imm     r1, 0
        imm     r2, sentence
        imm     r3, between
        imm     r5, 4000
state:  ldu8    r4, r2
        addi    r2, r2, 1
        bnei    r4, 0, 1f
        imm     r2, sentence
        addi    r5, r5, -1
        beqi    r5, 0, 2f
1:      jumpr   r3
between:
        addi    r6, r4, (- (char->integer #\0))
        bgei_u  r6, 10, state
        imm     r3, within
        mov     r7, r6
        jump    state
within: addi    r6, r4, (- (char->integer #\0))
        bgei_u  r6, 10, 3f
        muli    r7, r7, 10
        add     r7, r7, r6
        jump    state
3:      add     r1, r1, r7
        imm     r3, between
        jump    state
2:      ret

life:   imm     r1, cells
        imm     r2, 0
1:      muli    r3, r2, 2654435761
        shri_u  r3, r3, 13
        andi    r3, r3, 1
        stx8    r1, r2, r3
        addi    r2, r2, 1
        blti_u  r2, (* SIDE SIDE), 1b
        imm     r9, 10
2:      imm     r10, (+ (address "cells") (* SIDE SIDE))
        imm     r2, 0
3:      imm     r3, 0
        (map (lambda (d)
               (list (list addi r4 r2 d)
                     (list andi r4 r4 (- (* SIDE SIDE) 1))
                     (list ldxu8 r4 r1 r4)
                     (list add r3 r3 r4)))
             (list -1 1 SIDE (- SIDE) (- SIDE 1) (+ SIDE 1) (- -1 SIDE) (- 1 SIDE)))
        ldxu8   r4, r1, r2
        or      r3, r3, r4
        eqi     r3, r3, 3
        stx8    r10, r2, r3
        addi    r2, r2, 1
        blti_u  r2, (* SIDE SIDE), 3b
        imm     r5, (* SIDE SIDE)
        bcopy   r1, r10, r5
        addi    r9, r9, -1
        bnei    r9, 0, 2b
        imm     r2, 0
        imm     r3, 0
4:      ldxu8   r4, r1, r2
        add     r3, r3, r4
        addi    r2, r2, 1
        blti_u  r2, (* SIDE SIDE), 4b
        mov     r1, r3
        ret

factorial:                              ; of 200, in digits of 32 bits
        imm     r1, digits
        imm     r2, 1
        st32    r1, r2                  ; r3: how many digits
        imm     r3, 1
1:      imm     r4, 0                   ; carry
        imm     r5, 0
2:      ldxu32  r6, r1, r5
        mul     r6, r6, r2
        add     r6, r6, r4
        stx32   r1, r5, r6
        shri_u  r4, r6, 32
        addi    r5, r5, 1
        blt_u   r5, r3, 2b
        beqi    r4, 0, 3f
        stx32   r1, r3, r4
        addi    r3, r3, 1
3:      addi    r2, r2, 1
        blti_u  r2, 201, 1b
        ldu32   r1, r1, 100
        ret

ackermann:
        bnei    r1, 0, 1f
        addi    r1, r2, 1
        ret
1:      bnei    r2, 0, 2f
        addi    r1, r1, -1
        imm     r2, 1
        jump    ackermann
2:      mov     r11, r1
        addi    r12, r2, -1
        call    r10, ackermann
        addi    r1, r1, -1
        mov     r2, r11
        tail    ackermann

functions:
        imm     r1, 0
        imm     r2, 20000
1:      mov     r11, r2
        call    r10, absolute
        mov     r12, r11
        mov     r11, r1
        call    r10, blend
        mov     r1, r11
        andi    r3, r2, 1
        imm     r4, choices
        ldxu64  r4, r4, r3
        mov     r11, r1
        callr   r10, r4
        add32   r1, r1, r11
        addi    r2, r2, -1
        bnei    r2, 0, 1b
        ret
absolute:
        bgei_s  r1, 0, 1f
        neg     r1, r1
1:      ret
blend:  muli    r1, r1, 3
        add     r1, r1, r2
        shri_u  r1, r1, 2
        ret
double: shli    r1, r1, 1
        ret
half:   shri_u  r1, r1, 1
        ret
.data
program: .byte  0, 17, 1, 2, 0, 5, 3, 4, 5
sentence: .asciz "there were 12 of them in 1984, and 365 more, 7 by 7, until 40000 had come"
.align 8
choices: .quad  double, half
.bss
.align 8
cells:  .zero   (* 2 SIDE SIDE)
digits: .zero   1000
(include "../../examples/lib/output.scm")
