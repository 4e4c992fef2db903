; Asks and repeats the answer, until the end of its input.
_start:
        imm     r11, 1
        imm     r12, (address "question")
        imm     r13, 6
        hcall   r10, write
        imm     r11, 0
        imm     r12, (address "buffer")
        imm     r13, 64
        hcall   r10, read
        beqi    r11, 0, done
        mov     r13, r11
        imm     r12, (address "buffer")
        imm     r11, 1
        hcall   r10, write
        jump    _start
done:
        ret

.rodata
question: .ascii "name? "
.bss
buffer: .zero 64
