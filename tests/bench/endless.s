; Without an end: a store to a random word of a megabyte for each twelve instructions, a call now and then.
.equ MASK, 0x1ffff              ; words of the table, less one
.text
_start:
        imm     r1, table
        imm     r7, 88172645463325252
round:
        imm     r2, 1000000
next:
        shli    r8, r7, 13              ; r7: random, by shifts
        xor     r7, r7, r8
        shri_u  r8, r7, 7
        xor     r7, r7, r8
        shli    r8, r7, 17
        xor     r7, r7, r8
        andi    r8, r7, MASK
        ldxu64  r9, r1, r8
        add     r9, r9, r7
        stx64   r1, r8, r9
        addi    r2, r2, -1
        bnei    r2, 0, next
        call    r20, count_round
        jump    round
count_round:
        imm     r1, rounds
        ldu64   r2, r1
        addi    r2, r2, 1
        st64    r1, r2
        ret
.bss
rounds: .zero   8
table:  .zero   (* 8 (+ MASK 1))
