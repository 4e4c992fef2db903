_start: imm     r1, 5
        add     r99999999999, r1, r1
        halt
