_start: imm     r1, 10
loop:   addi    r1, r1, -1
        bnei    r1, 0, lopp
        halt
