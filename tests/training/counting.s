; Counting by recurrences, as their definitions say, with nothing kept: tilings, partitions, lattice paths, trees,
; set partitions, and Stern's sequence.
.text
_start: imm     r20, 12
        imm     r21, 0
round:  imm     r30, 16
        call    r29, tribonacci
        add     r21, r21, r30
        imm     r30, 28
        call    r29, padovan
        add     r21, r21, r30
        imm     r30, 5
        imm     r31, 5
        call    r29, delannoy
        add     r21, r21, r30
        imm     r30, 24
        imm     r31, 10
        call    r29, partitions
        add     r21, r21, r30
        imm     r30, 8
        call    r29, catalan
        add     r21, r21, r30
        imm     r30, 10
        imm     r31, 5
        call    r29, stirling
        add     r21, r21, r30
        imm     r22, 1
stern_of:
        mov     r30, r22
        call    r29, stern
        add     r21, r21, r30
        addi    r22, r22, 1
        blti_u  r22, 200, stern_of
        addi    r20, r20, -1
        bnei    r20, 0, round
        zext32  r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

tribonacci:                             ; (n): sums of three before
        blti_u  r1, 2, 1f
        addi    r3, r1, -1
        call    r2, tribonacci
        addi    r5, r1, -2
        call    r4, tribonacci
        addi    r7, r1, -3
        blti_s  r7, 0, 2f
        call    r6, tribonacci
        add     r3, r3, r7
2:      add     r1, r3, r5
1:      ret

padovan:                                ; (n): tilings of a row by pieces of two and three
        blti_u  r1, 3, 1f
        addi    r3, r1, -2
        call    r2, padovan
        addi    r5, r1, -3
        call    r4, padovan
        add     r1, r3, r5
1:      ret

delannoy:                               ; (m, n): ways through a grid that may go across
        beqi    r1, 0, 1f
        beqi    r2, 0, 1f
        addi    r4, r1, -1
        mov     r5, r2
        call    r3, delannoy
        mov     r7, r1
        addi    r8, r2, -1
        call    r6, delannoy
        add     r4, r4, r7
        addi    r7, r1, -1
        addi    r8, r2, -1
        call    r6, delannoy
        add     r1, r4, r7
        ret
1:      imm     r1, 1
        ret

partitions:                             ; (n, most) -> ways to write n as a sum of parts up to most
        blti_u  r1, 2, 1f
        beqi    r2, 0, 2f
        mov     r4, r1
        addi    r5, r2, -1
        call    r3, partitions
        blt_u   r1, r2, 3f
        sub     r7, r1, r2
        mov     r8, r2
        call    r6, partitions
        add     r1, r4, r7
        ret
2:      imm     r1, 0
        ret
3:      mov     r1, r4
        ret
1:      imm     r1, 1
        ret

catalan:                                ; (n) -> binary trees of n nodes
        blti_u  r1, 2, 1f
        imm     r2, 0
        imm     r3, 0
2:      mov     r5, r2
        call    r4, catalan
        sub     r7, r1, r2
        addi    r7, r7, -1
        call    r6, catalan
        mul     r5, r5, r7
        add     r3, r3, r5
        addi    r2, r2, 1
        blt_u   r2, r1, 2b
        mov     r1, r3
        ret
1:      imm     r1, 1
        ret

stirling:                               ; (n, k) -> ways to part n things into k heaps
        beqi    r2, 0, 1f
        bge_u   r2, r1, 2f
        addi    r4, r1, -1
        addi    r5, r2, -1
        call    r3, stirling
        addi    r7, r1, -1
        mov     r8, r2
        call    r6, stirling
        mul     r7, r7, r2
        add     r1, r4, r7
        ret
2:      eq      r1, r1, r2
        ret
1:      eqi     r1, r1, 0
        ret

stern:                                  ; (n)
        blti_u  r1, 2, 1f
        shri_u  r3, r1, 1
        andi    r4, r1, 1
        mov     r6, r3
        call    r5, stern
        beqi    r4, 0, 2f
        addi    r4, r3, 1
        call    r3, stern
        add     r6, r6, r4
2:      mov     r1, r6
1:      ret

(include "../../examples/lib/output.scm")
