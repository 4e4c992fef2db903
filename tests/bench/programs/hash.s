; A chained hash table, 12,000,000 look-ups of 30,000 keys: loads that depend on loads.
.equ BUCKETS, 16384
.text
_start:
        imm     r1, 0                   ; r1: i
        imm     r2, 12000000
        imm     r3, heads
        imm     r4, nodes               ; a node: key 8, value 8, next 4, padding 4
        imm     r5, 1                   ; r5: nodes in use
        imm     r6, 88172645463325252   ; r6: x, of the generator
        imm     r7, 30000
        imm     r8, 0xff51afd7ed558ccd
look_up:
        shli    r9, r6, 13
        xor     r6, r6, r9
        shri_u  r9, r6, 7
        xor     r6, r6, r9
        shli    r9, r6, 17
        xor     r6, r6, r9
        rem_u   r10, r6, r7             ; r10: key

        shri_u  r11, r10, 33
        xor     r11, r11, r10
        mul     r11, r11, r8
        shri_u  r12, r11, 29
        xor     r11, r11, r12
        andi    r11, r11, 16383         ; r11: bucket

        ldxu32  r12, r3, r11            ; r12: node
chain:
        beqi    r12, 0, absent
        sh1add  r13, r12, r12
        sh3add  r13, r13, r4            ; r13: nodes + 24 * node
        ldu64   r14, r13
        beq     r14, r10, present
        ldu32   r12, r13, 16
        jump    chain
present:
        ldu64   r14, r13, 8
        add     r14, r14, r1
        st64    r13, r14, 8
        jump    next
absent:
        sh1add  r13, r5, r5
        sh3add  r13, r13, r4
        st64    r13, r10
        st64    r13, r1, 8
        ldxu32  r14, r3, r11
        st32    r13, r14, 16
        stx32   r3, r11, r5
        addi    r5, r5, 1
next:
        addi    r1, r1, 1
        blt_u   r1, r2, look_up

        imm     r1, 1                   ; the sum of value * node, folded to 32 bits
        imm     r2, 0
sum:
        sh1add  r13, r1, r1
        sh3add  r13, r13, r4
        ldu64   r14, r13, 8
        mul     r14, r14, r1
        add     r2, r2, r14
        addi    r1, r1, 1
        blt_u   r1, r5, sum
        shri_u  r3, r2, 32
        xor     r2, r2, r3
        zext32  r11, r2
        call    r10, print_result
        ret

.bss
heads:  .zero   65536
nodes:  .zero   960000

.include "result.s"
