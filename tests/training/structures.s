; Structures: a binary tree, a linked list, a heap, a queue on a grid, union-find.
.equ N, 20000
.text
_start: imm     r20, 4
        imm     r21, 0
round:  call    r30, tree
        add     r21, r21, r31
        call    r30, list
        add     r21, r21, r31
        call    r30, heap_sort
        add     r21, r21, r31
        call    r30, search_breadth
        add     r21, r21, r31
        call    r30, unite
        add     r21, r21, r31
        addi    r20, r20, -1
        bnei    r20, 0, round
        zext32  r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

next_random:                            ; (state) -> (state, number)
        shli    r2, r1, 13
        xor     r1, r1, r2
        shri_u  r2, r1, 7
        xor     r1, r1, r2
        shli    r2, r1, 17
        xor     r1, r1, r2
        shri_u  r2, r1, 40
        ret

tree:   imm     r1, room                ; node: key, left, right
        imm     r2, 0                   ; root
        imm     r3, N
        imm     r41, 88172645463325252
1:      call    r40, next_random
        mov     r4, r42                 ; key
        st64    r1, r4
        st64    r1, r0, 8
        st64    r1, r0, 16
        bnei    r2, 0, 2f
        mov     r2, r1
        jump    5f
2:      mov     r5, r2                  ; go down
3:      ldu64   r6, r5
        addi    r7, r5, 8
        blt_u   r4, r6, 4f
        addi    r7, r5, 16
4:      ldu64   r5, r7
        bnei    r5, 0, 3b
        st64    r7, r1
5:      addi    r1, r1, 24
        addi    r3, r3, -1
        bnei    r3, 0, 1b
        mov     r41, r2
        imm     r42, 0
        call    r40, sum_tree
        mov     r1, r41
        ret
sum_tree:                               ; (node, depth) -> sum of key xor depth
        beqi    r1, 0, 1f
        mov     r3, r1
        ldu64   r11, r3, 8
        addi    r12, r2, 1
        call    r10, sum_tree
        mov     r4, r11
        ldu64   r11, r3, 16
        addi    r12, r2, 1
        call    r10, sum_tree
        add     r4, r4, r11
        ldu64   r5, r3
        xor     r5, r5, r2
        add     r1, r4, r5
1:      ret

list:   imm     r1, room                ; built from the end, reversed, summed
        imm     r2, 0
        imm     r3, N
1:      st64    r1, r3
        st64    r1, r2, 8
        mov     r2, r1
        addi    r1, r1, 16
        addi    r3, r3, -1
        bnei    r3, 0, 1b
        imm     r4, 20
4:      imm     r3, 0
2:      ldu64   r5, r2, 8
        st64    r2, r3, 8
        mov     r3, r2
        mov     r2, r5
        bnei    r2, 0, 2b
        mov     r2, r3
        imm     r6, 0
3:      ldu64   r5, r3
        add     r6, r6, r5
        ldu64   r3, r3, 8
        bnei    r3, 0, 3b
        addi    r4, r4, -1
        bnei    r4, 0, 4b
        mov     r1, r6
        ret

heap_sort:
        imm     r1, room
        imm     r2, 0
        imm     r41, 123456789
1:      call    r40, next_random
        stx64   r1, r2, r42
        addi    r2, r2, 1
        blti_u  r2, N, 1b
        imm     r3, (quotient N 2)
2:      addi    r3, r3, -1
        mov     r41, r1
        mov     r42, r3
        imm     r43, N
        call    r40, sift
        bnei    r3, 0, 2b
        imm     r3, N
3:      addi    r3, r3, -1
        ldu64   r4, r1
        ldxu64  r5, r1, r3
        st64    r1, r5
        stx64   r1, r3, r4
        mov     r41, r1
        imm     r42, 0
        mov     r43, r3
        call    r40, sift
        bnei    r3, 0, 3b
        ldu64   r1, r1, 800
        ret
sift:                                   ; (array, place, count)
        ldxu64  r4, r1, r2
1:      shli    r5, r2, 1
        addi    r5, r5, 1
        bge_s   r5, r3, 3f
        ldxu64  r6, r1, r5
        addi    r7, r5, 1
        bge_s   r7, r3, 2f
        ldxu64  r8, r1, r7
        bge_s   r6, r8, 2f
        mov     r5, r7
        mov     r6, r8
2:      bge_s   r4, r6, 3f
        stx64   r1, r2, r6
        mov     r2, r5
        jump    1b
3:      stx64   r1, r2, r4
        ret

.equ SIDE, 200
search_breadth:                         ; how far it is across a grid with walls
        imm     r1, room                ; distances, a word each; then the queue
        imm     r2, 0
1:      muli    r3, r2, 7919
        shri_u  r3, r3, 3
        andi    r3, r3, 3
        eqi     r3, r3, 0
        neg     r3, r3
        stx32   r1, r2, r3
        addi    r2, r2, 1
        blti_u  r2, (* SIDE SIDE), 1b
        imm     r4, (+ (address "room") (* 4 SIDE SIDE))
        mov     r5, r4                  ; head, tail
        imm     r6, (+ (quotient (* SIDE SIDE) 2) 3)
        imm     r7, 1
        stx32   r1, r6, r7
        st32    r5, r6
        addi    r5, r5, 4
2:      beq     r4, r5, 4f
        ldu32   r6, r4
        addi    r4, r4, 4
        ldxu32  r7, r1, r6
        addi    r7, r7, 1
        (map (lambda (step)
               (with-labels (no)
                 (list (list addi r8 r6 step)
                       (list 'bgei_u r8 (* SIDE SIDE) no)
                       (list ldxu32 r9 r1 r8)
                       (list 'bnei r9 0 no)
                       (list stx32 r1 r8 r7)
                       (list st32 r5 r8)
                       (list addi r5 r5 4)
                       (label no))))
             (list 1 -1 SIDE (- SIDE)))
        jump    2b
4:      sub     r1, r5, r1
        add     r1, r1, r7
        ret

unite:  imm     r1, room
        imm     r2, 0
1:      stx32   r1, r2, r2
        addi    r2, r2, 1
        blti_u  r2, N, 1b
        imm     r41, 987654321
        imm     r3, N
        imm     r4, N
        imm     r9, 0
2:      call    r40, next_random
        rem_u   r5, r42, r4
        mov     r51, r5
        call    r50, root
        mov     r6, r51
        call    r40, next_random
        rem_u   r5, r42, r4
        mov     r51, r5
        call    r50, root
        beq     r51, r6, 3f
        stx32   r1, r51, r6
        addi    r9, r9, 1
3:      addi    r3, r3, -1
        bnei    r3, 0, 2b
        mov     r1, r9
        ret
root:   imm     r2, room
1:      ldxu32  r3, r2, r1
        beq     r3, r1, 2f
        ldxu32  r4, r2, r3
        stx32   r2, r1, r4
        mov     r1, r4
        jump    1b
2:      ret
.bss
.align 8
room:   .zero   1000000
(include "../../examples/lib/output.scm")
