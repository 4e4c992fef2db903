; A million numbers sorted by quicksort, three times: comparisons, and recursion.
.equ N, 1000000
.text
_start:
        imm     r1, numbers
        imm     r2, 0                   ; r2: check sum
        imm     r3, 0                   ; r3: round
round:
        addi    r4, r3, 12345           ; r4: the generator's number
        imm     r5, 0
fill:
        shli32  r6, r4, 13
        xor     r4, r4, r6
        shri32_u r6, r4, 17
        xor     r4, r4, r6
        shli32  r6, r4, 5
        xor     r4, r4, r6
        stx32   r1, r5, r4
        addi    r5, r5, 1
        blti_u  r5, N, fill
        mov     r21, r1
        imm     r22, 0
        imm     r23, (- N 1)
        call    r20, sort
        imm     r5, 0
add_up:
        muli    r2, r2, 31
        ldxu32  r6, r1, r5
        add32   r2, r2, r6
        addi    r5, r5, 1000
        blti_u  r5, N, add_up
        addi    r3, r3, 1
        blti_u  r3, 3, round

        mov     r11, r2
        call    r10, print_result
        ret

; sort (array, lowest index, highest index)
sort:
        bge_s   r2, r3, sorted
        sub     r4, r3, r2
        blti_s  r4, 12, sort_few
        shri_u  r4, r4, 1
        add     r4, r4, r2
        ldxu32  r4, r1, r4              ; r4: pivot
        mov     r5, r2                  ; r5: from below
        mov     r6, r3                  ; r6: from above
from_below:
        ldxu32  r7, r1, r5
        bge_u   r7, r4, from_above
        addi    r5, r5, 1
        jump    from_below
from_above:
        ldxu32  r8, r1, r6
        bge_u   r4, r8, found
        addi    r6, r6, -1
        jump    from_above
found:
        blt_s   r6, r5, parted
        stx32   r1, r5, r8
        stx32   r1, r6, r7
        addi    r5, r5, 1
        addi    r6, r6, -1
        bge_s   r6, r5, from_below
parted:                                 ; the smaller part by recursion, the larger one here
        mov     r21, r1
        sub     r7, r6, r2
        sub     r8, r3, r5
        bge_s   r7, r8, upper_first
        mov     r22, r2
        mov     r23, r6
        call    r20, sort
        mov     r2, r5
        jump    sort
upper_first:
        mov     r22, r5
        mov     r23, r3
        call    r20, sort
        mov     r3, r6
        jump    sort

sort_few:                               ; by insertion
        mov     r4, r2                  ; r4: the last that is in its place
insert:
        addi    r5, r4, 1
        ldxu32  r6, r1, r5              ; r6: the one to insert
        mov     r7, r4
shift:
        ldxu32  r8, r1, r7
        bge_u   r6, r8, inserted
        addi    r9, r7, 1
        stx32   r1, r9, r8
        addi    r7, r7, -1
        bge_s   r7, r2, shift
inserted:
        addi    r9, r7, 1
        stx32   r1, r9, r6
        addi    r4, r4, 1
        blt_s   r4, r3, insert
sorted:
        ret

.bss
numbers: .zero  (* 4 N)

.include "result.s"
