; Stacks: an interpreter for a stack machine whose stack is in memory, expressions in reverse Polish notation,
; quick selection, flood fill with a stack of its own, streams that are merged.
.text
_start: imm     r20, 20
        imm     r21, 0
round:  call    r30, stack_machine
        add     r21, r21, r31
        call    r30, select_median
        add     r21, r21, r31
        call    r30, flood
        add     r21, r21, r31
        call    r30, merge_sort
        add     r21, r21, r31
        call    r30, sieve_of_sundaram
        add     r21, r21, r31
        addi    r20, r20, -1
        bnei    r20, 0, round
        zext32  r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

; r1: next cell, r2: stack, growing upwards; a cell is an address of code or a number
(define (next) (list (list ldu64 r3 r1) (list addi r1 r1 8) (list jumpr r3)))
stack_machine:
        imm     r1, program
        imm     r2, room
        (next)
push:   ldu64   r4, r1
        addi    r1, r1, 8
        st64    r2, r4
        addi    r2, r2, 8
        (next)
plus:   ldu64   r4, r2, -8
        ldu64   r5, r2, -16
        addi    r2, r2, -8
        add     r4, r4, r5
        st64    r2, r4, -8
        (next)
minus:  ldu64   r4, r2, -8
        ldu64   r5, r2, -16
        addi    r2, r2, -8
        sub     r4, r5, r4
        st64    r2, r4, -8
        (next)
copy:   ldu64   r4, r2, -8
        st64    r2, r4
        addi    r2, r2, 8
        (next)
exchange:
        ldu64   r4, r2, -8
        ldu64   r5, r2, -16
        st64    r2, r5, -8
        st64    r2, r4, -16
        (next)
again:  addi    r2, r2, -8
        ldu64   r4, r2
        ldu64   r5, r1
        addi    r1, r1, 8
        beqi    r4, 0, 1f
        mov     r1, r5
1:      (next)
stop:   ldu64   r1, r2, -8
        ret

fill:   imm     r1, room                ; (count)
        imm     r2, 0
        imm     r3, 99
1:      muli    r3, r3, 48271
        imm     r4, 2147483647
        rem_u   r3, r3, r4
        stx32   r1, r2, r3
        addi    r2, r2, 1
        blti_u  r2, 4000, 1b
        ret

select_median:
        call    r20, fill
        imm     r1, room
        imm     r2, 0
        imm     r3, 3999
1:      bge_s   r2, r3, 6f
        ldxu32  r4, r1, r3              ; pivot
        mov     r5, r2
        mov     r6, r2
2:      bge_s   r6, r3, 4f
        ldxu32  r7, r1, r6
        bge_u   r7, r4, 3f
        ldxu32  r8, r1, r5
        stx32   r1, r5, r7
        stx32   r1, r6, r8
        addi    r5, r5, 1
3:      addi    r6, r6, 1
        jump    2b
4:      ldxu32  r7, r1, r5
        stx32   r1, r3, r7
        stx32   r1, r5, r4
        blti_s  r5, 2000, 5f
        addi    r3, r5, -1
        jump    1b
5:      addi    r2, r5, 1
        jump    1b
6:      ldu32   r1, r1, 8000
        ret

flood:  imm     r1, room                ; 64 by 64 cells, then a stack of places
        imm     r2, 0
1:      muli    r3, r2, 40503
        shri_u  r3, r3, 6
        andi    r3, r3, 3
        nei     r3, r3, 0
        stx8    r1, r2, r3
        addi    r2, r2, 1
        blti_u  r2, 4096, 1b
        addi    r4, r1, 4096
        mov     r5, r4
        imm     r6, 2080
        st32    r5, r6
        addi    r5, r5, 4
        imm     r9, 0
2:      beq     r5, r4, 4f
        addi    r5, r5, -4
        ldu32   r6, r5
        ldxu8   r7, r1, r6
        beqi    r7, 0, 2b
        stx8    r1, r6, r0
        addi    r9, r9, 1
        (map (lambda (d)
               (list (list addi r7 r6 d)
                     (list andi r7 r7 4095)
                     (list st32 r5 r7)
                     (list addi r5 r5 4)))
             '(1 -1 64 -64))
        jump    2b
4:      mov     r1, r9
        ret

merge_sort:
        call    r20, fill
        imm     r21, 0
        imm     r22, 4000
        call    r20, merge_part
        imm     r1, room
        ldu32   r1, r1, 4000
        ret
merge_part:                             ; (from, end)
        sub     r3, r2, r1
        blti_u  r3, 2, 5f
        shri_u  r3, r3, 1
        add     r3, r3, r1              ; middle
        mov     r21, r1
        mov     r22, r3
        call    r20, merge_part
        mov     r21, r3
        mov     r22, r2
        call    r20, merge_part
        imm     r4, room
        imm     r5, other
        mov     r6, r1
        mov     r7, r3
        mov     r8, r1
1:      bge_u   r6, r3, 2f
        bge_u   r7, r2, 3f
        ldxu32  r9, r4, r6
        ldxu32  r10, r4, r7
        blt_u   r10, r9, 4f
        stx32   r5, r8, r9
        addi    r6, r6, 1
        addi    r8, r8, 1
        jump    1b
4:      stx32   r5, r8, r10
        addi    r7, r7, 1
        addi    r8, r8, 1
        jump    1b
3:      ldxu32  r9, r4, r6
        stx32   r5, r8, r9
        addi    r6, r6, 1
        addi    r8, r8, 1
        blt_u   r6, r3, 3b
        jump    6f
2:      bge_u   r7, r2, 6f
        ldxu32  r9, r4, r7
        stx32   r5, r8, r9
        addi    r7, r7, 1
        addi    r8, r8, 1
        jump    2b
6:      sub     r6, r2, r1
        shli    r6, r6, 2
        sh2add  r7, r1, r4
        sh2add  r8, r1, r5
        bcopy   r7, r8, r6
5:      ret

sieve_of_sundaram:                      ; marks i + j + 2 i j
        imm     r1, room
        imm     r2, 5000
        bfill   r1, r0, r2
        imm     r3, 1
        imm     r9, 1
1:      mov     r4, r3
2:      mul     r5, r3, r4
        shli    r5, r5, 1
        add     r5, r5, r3
        add     r5, r5, r4
        bge_u   r5, r2, 3f
        stx8    r1, r5, r9
        addi    r4, r4, 1
        jump    2b
3:      addi    r3, r3, 1
        blti_u  r3, 50, 1b
        imm     r3, 0
        imm     r4, 0
4:      ldxu8   r5, r1, r3
        sub     r4, r4, r5
        addi    r4, r4, 1
        addi    r3, r3, 1
        bne     r3, r2, 4b
        mov     r1, r4
        ret
(define (cell x) (list '.quad (if (string? x) (address x) x)))
.data
.align 8
program:
        (map cell '("push" 0 "push" 3000))
count:  (map cell '("exchange" "push" 5 "plus" "exchange" "push" 1 "minus" "copy" "again"))
        (cell "count")
        (map cell '("plus" "stop"))
.bss
.align 8
room:   .zero   64000
other:  .zero   64000
(include "../../examples/lib/output.scm")
