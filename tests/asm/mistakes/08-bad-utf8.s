_start: imm     r1, 5   ; café
        halt
