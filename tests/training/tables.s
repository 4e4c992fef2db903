; Tables: edit distance, shortest paths, counting sort, prime factors, Pascal's triangle, permutations, a knapsack.
.equ N, 80
.text
_start: imm     r20, 3
        imm     r21, 0
round:  call    r30, fill
        call    r30, edit_distance
        add     r21, r21, r31
        call    r30, shortest_paths
        add     r21, r21, r31
        call    r30, counting_sort
        add     r21, r21, r31
        call    r30, factors
        add     r21, r21, r31
        call    r30, knapsack
        add     r21, r21, r31
        imm     r31, 7
        imm     r32, 0
        call    r30, permutations
        add     r21, r21, r31
        imm     r31, 12
        imm     r32, 1
        imm     r33, 2
        imm     r34, 3
        call    r30, hanoi
        add     r21, r21, r31
        addi    r20, r20, -1
        bnei    r20, 0, round
        zext32  r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

fill:   imm     r1, bytes
        imm     r2, 0
        imm     r3, 777
1:      muli    r3, r3, 6364136223846793005
        addi    r3, r3, 1442695040888963407
        shri_u  r4, r3, 56
        stx8    r1, r2, r4
        addi    r2, r2, 1
        blti_u  r2, 20000, 1b
        ret

edit_distance:                          ; of two stretches of 300 bytes, modulo 4
        imm     r1, bytes
        addi    r2, r1, 1000
        imm     r3, words               ; a row of distances
        imm     r4, 0
1:      stx32   r3, r4, r4
        addi    r4, r4, 1
        blti_u  r4, 301, 1b
        imm     r4, 0                   ; i
2:      ldxu8   r5, r1, r4
        andi    r5, r5, 3
        ldu32   r6, r3                  ; upper left
        addi    r7, r4, 1
        st32    r3, r7                  ; left
        imm     r8, 0                   ; j
3:      ldxu8   r9, r2, r8
        andi    r9, r9, 3
        addi    r10, r8, 1
        ldxu32  r11, r3, r10            ; upper
        ne      r9, r9, r5
        add     r9, r9, r6
        addi    r12, r11, 1
        min_u   r9, r9, r12
        addi    r12, r7, 1
        min_u   r7, r9, r12
        stx32   r3, r10, r7
        mov     r6, r11
        mov     r8, r10
        blti_u  r8, 300, 3b
        addi    r4, r4, 1
        blti_u  r4, 300, 2b
        mov     r1, r7
        ret

shortest_paths:                         ; Floyd and Warshall
        imm     r1, words
        imm     r2, bytes
        imm     r3, 0
1:      ldxu8   r4, r2, r3
        stx32   r1, r3, r4
        addi    r3, r3, 1
        blti_u  r3, (* N N), 1b
        imm     r3, 0                   ; k
2:      imm     r4, 0                   ; i
        muli    r10, r3, (* 4 N)
        add     r10, r1, r10            ; row k
3:      muli    r5, r4, (* 4 N)
        add     r5, r1, r5              ; row i
        ldxu32  r6, r5, r3
        imm     r7, 0
4:      ldxu32  r8, r10, r7
        add     r8, r8, r6
        ldxu32  r9, r5, r7
        bge_u   r8, r9, 5f
        stx32   r5, r7, r8
5:      addi    r7, r7, 1
        blti_s  r7, N, 4b
        addi    r4, r4, 1
        blti_s  r4, N, 3b
        addi    r3, r3, 1
        blti_s  r3, N, 2b
        ldu32   r1, r1, 400
        ret

counting_sort:
        imm     r1, bytes
        imm     r2, words
        imm     r3, 0
        mov     r4, r2
1:      st64    r4, r0
        addi    r4, r4, 8
        addi    r3, r3, 1
        blti_u  r3, 256, 1b
        imm     r3, 0
2:      ldxu8   r4, r1, r3
        ldxu64  r5, r2, r4
        addi    r5, r5, 1
        stx64   r2, r4, r5
        addi    r3, r3, 1
        blti_u  r3, 20000, 2b
        imm     r3, 0
        imm     r6, 0
3:      ldxu64  r5, r2, r3
        beqi    r5, 0, 5f
4:      stx8    r1, r6, r3
        addi    r6, r6, 1
        addi    r5, r5, -1
        bnei    r5, 0, 4b
5:      addi    r3, r3, 1
        blti_u  r3, 256, 3b
        ldu8    r1, r1, 9999
        ret

factors:                                ; the sum of the prime factors of some numbers
        imm     r1, 0
        imm     r2, 100000
1:      mov     r3, r2
        imm     r4, 2
2:      mul     r5, r4, r4
        blt_u   r3, r5, 4f
        rem_u   r5, r3, r4
        bnei    r5, 0, 3f
        div_u   r3, r3, r4
        add     r1, r1, r4
        jump    2b
3:      addi    r4, r4, 1
        jump    2b
4:      add     r1, r1, r3
        addi    r2, r2, 1
        blti_u  r2, 101000, 1b
        ret

knapsack:
        imm     r1, words
        imm     r3, 0
1:      stx32   r1, r3, r0
        addi    r3, r3, 1
        blti_u  r3, 1001, 1b
        imm     r2, 0
        imm     r10, bytes
2:      ldxu8   r4, r10, r2             ; weight
        addi    r4, r4, 1
        muli    r5, r4, 37
        andi    r5, r5, 127             ; value
        imm     r6, 1000
3:      blt_s   r6, r4, 4f
        sub     r7, r6, r4
        ldxu32  r8, r1, r7
        add32   r8, r8, r5
        ldxu32  r9, r1, r6
        max_u   r8, r8, r9
        stx32   r1, r6, r8
        addi    r6, r6, -1
        jump    3b
4:      addi    r2, r2, 1
        blti_u  r2, 60, 2b
        ldu32   r1, r1, 4000
        ret

permutations:                           ; (how many are left, depth) -> how many there are
        bnei    r1, 0, 1f
        imm     r1, 1
        ret
1:      mov     r3, r1
        imm     r4, 0
2:      addi    r11, r1, -1
        addi    r12, r2, 1
        call    r10, permutations
        add     r4, r4, r11
        addi    r3, r3, -1
        bnei    r3, 0, 2b
        mov     r1, r4
        ret

hanoi:                                  ; (disks, from, by, to) -> moves
        bnei    r1, 0, 1f
        ret
1:      addi    r11, r1, -1
        mov     r12, r2
        mov     r13, r4
        mov     r14, r3
        call    r10, hanoi
        mov     r5, r11
        addi    r11, r1, -1
        mov     r12, r3
        mov     r13, r2
        mov     r14, r4
        call    r10, hanoi
        add     r1, r5, r11
        addi    r1, r1, 1
        ret
.bss
.align 8
bytes:  .zero   20000
words:  .zero   40000
(include "../../examples/lib/output.scm")
