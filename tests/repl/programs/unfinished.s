; Changes a text in memory and writes it, without an end of its line.
_start:
        imm     r1, text
        imm     r2, 'J'
        st8     r1, r2, 0
        st8     r1, r2, 0
        ldu8    r2, r1, 1
        imm     r11, 1
        imm     r12, text
        imm     r13, 5
        hcall   r10, write
        ret
.data
text:   .ascii  "hello"
