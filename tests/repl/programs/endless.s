; Counts and never ends.
_start:
        imm     r1, 0
again:
        addi    r1, r1, 1
        jump    again
