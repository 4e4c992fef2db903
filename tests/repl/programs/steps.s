; What steps go over: a loop, a jump with a link, a tail call, a line of several instructions.
(define (twice instruction) (list instruction instruction))

_start:
        imm     r1, 3
loop:
        addi    r1, r1, -1
        bnei    r1, 0, loop
        jal     r20, leaf
        call    r10, first
        (twice (list addi r2 r2 1))
        jal     r20, leaf
        halt
leaf:
        addi    r2, r2, 10
        jumpr   r20
first:
        imm     r1, 7
        tail    second
second:
        addi    r1, r1, 1
        ret
