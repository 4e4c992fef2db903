; Adds up a list of three numbers, after copying a name into a buffer that is too small for it: the copy
; runs on into the list's second node.
_start:
        imm     r11, (address "label")
        imm     r12, (address "name")
        call    r10, copy
        imm     r11, (address "first")
        call    r10, sum
        mov     r1, r11
        halt

; Copies the text at r2, with the NUL at its end, to r1.
copy:
        ldu8    r3, r2
        st8     r1, r3
        addi    r1, r1, 1
        addi    r2, r2, 1
        bnei    r3, 0, copy
        ret

; r1 := the sum of the list at r1. A node is a number and the address of the next node, 0 at the end.
sum:
        imm     r2, 0
add_node:
        ldu64   r3, r1
        add     r2, r2, r3
        ldu64   r1, r1, 8
        bnei    r1, 0, add_node
        mov     r1, r2
        ret

.data
name:   .ascii  "Constantinople, 1453\0"
first:  .quad   10, second
label:  .zero   8
second: .quad   20, third
third:  .quad   30, 0
