_start: imm     r1, 5
        add     r1, r1
        mov     r1, r2, r3
        halt
