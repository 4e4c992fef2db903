; Two threads: one waits for the other, which waits for a word that nobody changes.
.text
_start:
        imm     r11, other
        hcall   r10, spawn
        hcall   r10, join
        halt
other:
        imm     r11, word
        imm     r13, -1
        hcall   r10, wait32
        ret
.data
.align 8
word:   .quad   0
