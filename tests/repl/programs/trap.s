; Divides by zero in a function.
_start:
        imm     r11, 7
        call    r10, divide
        ret

divide:
        imm     r2, 0
        div_u   r3, r1, r2
        mov     r1, r3
        ret
