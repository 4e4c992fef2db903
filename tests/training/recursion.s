; Recursion: binary trees, Takeuchi's and Ackermann's functions, Hanoi, binomials, ways to give change, subsets,
; even and odd, a maze.
.text
_start: imm     r20, 3
        imm     r21, 0
round:  imm     r30, 14
        call    r29, full_tree          ; r30: root
        mov     r22, r30
        call    r29, count_nodes
        add     r21, r21, r30
        mov     r30, r22
        call    r29, height
        add     r21, r21, r30
        mov     r30, r22
        call    r29, mirror
        mov     r30, r22
        imm     r31, 1
        call    r29, weigh
        add     r21, r21, r30
        imm     r30, 14
        imm     r31, 10
        imm     r32, 3
        call    r29, takeuchi
        add     r21, r21, r30
        imm     r30, 2
        imm     r31, 90
        call    r29, ackermann
        add     r21, r21, r30
        imm     r30, 15
        imm     r31, 1
        imm     r32, 3
        call    r29, hanoi
        add     r21, r21, r30
        imm     r30, 15
        call    r29, moves
        add     r21, r21, r30
        imm     r30, 18
        imm     r31, 7
        call    r29, binomial
        add     r21, r21, r30
        imm     r30, 150
        imm     r31, 0
        call    r29, change
        add     r21, r21, r30
        imm     r30, 14
        imm     r31, 0
        call    r29, subsets
        add     r21, r21, r30
        imm     r30, 20001
        call    r29, even
        add     r21, r21, r30
        imm     r1, grid
        imm     r2, 4096
        imm     r3, 7
wall:   muli    r3, r3, 1103515245      ; a maze: every fourth place is a wall
        addi    r3, r3, 12345
        shri_u  r4, r3, 16
        andi    r4, r4, 3
        eqi     r4, r4, 0
        st8     r1, r4
        addi    r1, r1, 1
        addi    r2, r2, -1
        bnei    r2, 0, wall
        imm     r30, 0
        imm     r31, 0
        call    r29, walk
        add     r21, r21, r30
        imm     r1, heap
        tset    t2, r1
        addi    r20, r20, -1
        bnei    r20, 0, round
        zext32  r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

full_tree:                              ; (levels) -> node: left, right, key; 0 when there are none
        beqi    r1, 0, 1f
        addi    r3, r1, -1
        call    r2, full_tree
        addi    r5, r1, -1
        call    r4, full_tree
        tget    r6, t2
        bnei    r6, 0, 2f
        imm     r6, heap
2:      addi    r7, r6, 24
        tset    t2, r7
        st64    r6, r3
        st64    r6, r5, 8
        st64    r6, r1, 16
        mov     r1, r6
1:      ret

count_nodes:                            ; (node) -> how many there are below, and it
        beqi    r1, 0, 1f
        ldu64   r3, r1
        call    r2, count_nodes
        ldu64   r5, r1, 8
        call    r4, count_nodes
        add     r3, r3, r5
        addi    r1, r3, 1
1:      ret

height:                                 ; (node) -> levels
        beqi    r1, 0, 1f
        ldu64   r3, r1
        call    r2, height
        ldu64   r5, r1, 8
        call    r4, height
        max_u   r3, r3, r5
        addi    r1, r3, 1
1:      ret

mirror: beqi    r1, 0, 1f               ; (node): left and right change places
        ldu64   r3, r1
        ldu64   r5, r1, 8
        st64    r1, r5
        st64    r1, r3, 8
        call    r2, mirror
        call    r4, mirror
1:      ret

weigh:                                  ; (node, level) -> sum of keys times levels
        bnei    r1, 0, 1f
        ret
1:      ldu64   r4, r1
        addi    r5, r2, 1
        call    r3, weigh
        ldu64   r7, r1, 8
        addi    r8, r2, 1
        call    r6, weigh
        ldu64   r1, r1, 16
        mul     r1, r1, r2
        add     r1, r1, r4
        add     r1, r1, r7
        ret

takeuchi:                               ; (x, y, z)
        blt_s   r2, r1, 1f
        mov     r1, r3
        ret
1:      addi    r5, r1, -1
        mov     r6, r2
        mov     r7, r3
        call    r4, takeuchi
        addi    r9, r2, -1
        mov     r10, r3
        mov     r11, r1
        call    r8, takeuchi
        addi    r13, r3, -1
        mov     r14, r1
        mov     r15, r2
        call    r12, takeuchi
        mov     r1, r5
        mov     r2, r9
        mov     r3, r13
        jump    takeuchi

ackermann:                              ; (m, n)
        bnei    r1, 0, 1f
        addi    r1, r2, 1
        ret
1:      bnei    r2, 0, 2f
        addi    r1, r1, -1
        imm     r2, 1
        jump    ackermann
2:      mov     r4, r1
        addi    r5, r2, -1
        call    r3, ackermann
        addi    r1, r1, -1
        mov     r2, r4
        jump    ackermann

moves:                                  ; (discs) -> how often one is moved
        beqi    r1, 0, 1f
        addi    r3, r1, -1
        call    r2, moves
        addi    r5, r1, -1
        call    r4, moves
        add     r1, r3, r5
        addi    r1, r1, 1
1:      ret

hanoi:                                  ; (discs, from, to) -> a sum over the moves
        beqi    r1, 0, 1f
        addi    r5, r1, -1
        mov     r6, r2
        imm     r7, 6
        sub     r7, r7, r2
        sub     r7, r7, r3              ; the third peg
        call    r4, hanoi
        mul     r8, r1, r2
        add     r8, r8, r3
        add     r8, r8, r5
        addi    r5, r1, -1
        imm     r6, 6
        sub     r6, r6, r2
        sub     r6, r6, r3
        mov     r7, r3
        call    r4, hanoi
        add     r1, r5, r8
1:      ret

binomial:                               ; (n, k)
        beqi    r2, 0, 1f
        beq     r1, r2, 1f
        addi    r4, r1, -1
        addi    r5, r2, -1
        call    r3, binomial
        addi    r7, r1, -1
        mov     r8, r2
        call    r6, binomial
        add     r1, r4, r7
        ret
1:      imm     r1, 1
        ret

change:                                 ; (amount, which coins on) -> ways
        beqi    r1, 0, 1f
        bgei_s  r1, 0, 2f
        imm     r1, 0
        ret
2:      imm     r3, coins
        ldxu8   r3, r3, r2
        bnei    r3, 0, 3f
        imm     r1, 0
        ret
3:      sub     r5, r1, r3
        mov     r6, r2
        call    r4, change
        mov     r8, r1
        addi    r9, r2, 1
        call    r7, change
        add     r1, r5, r8
        ret
1:      imm     r1, 1
        ret

subsets:                                ; (numbers left, sum of those taken) -> how many sums are multiples of 7
        bnei    r1, 0, 1f
        imm     r3, 7
        rem_u   r1, r2, r3
        eqi     r1, r1, 0
        ret
1:      addi    r4, r1, -1
        mov     r5, r2
        call    r3, subsets
        addi    r7, r1, -1
        add     r8, r2, r1
        call    r6, subsets
        add     r1, r4, r7
        ret

even:   beqi    r1, 0, 1f
        addi    r3, r1, -1
        call    r2, odd
        mov     r1, r3
        ret
1:      imm     r1, 1
        ret
odd:    beqi    r1, 0, 1f
        addi    r3, r1, -1
        call    r2, even
        mov     r1, r3
1:      ret

walk:                                   ; (x, y) -> places reached from there, which are marked
        bgei_u  r1, 64, 1f
        bgei_u  r2, 64, 1f
        shli    r3, r2, 6
        add     r3, r3, r1
        imm     r4, grid
        ldxu8   r5, r4, r3
        bnei    r5, 0, 1f
        imm     r5, 1
        stx8    r4, r3, r5
        imm     r6, 1
        addi    r8, r1, 1
        mov     r9, r2
        call    r7, walk
        add     r6, r6, r8
        addi    r8, r1, -1
        mov     r9, r2
        call    r7, walk
        add     r6, r6, r8
        mov     r8, r1
        addi    r9, r2, 1
        call    r7, walk
        add     r6, r6, r8
        mov     r8, r1
        addi    r9, r2, -1
        call    r7, walk
        add     r1, r6, r8
        ret
1:      imm     r1, 0
        ret

.data
coins:  .byte 50, 20, 10, 5, 2, 1, 0
.bss
grid:   .zero   4096
.align 8
heap:   .zero   1048576

(include "../../examples/lib/output.scm")
