; Twelve patterns of ten letters, searched for in eight megabytes by Horspool's algorithm: bytes.
.equ N, 8000000
.equ M, 10
.text
_start:
        imm     r1, text
        imm     r2, 0
        imm     r3, 1
fill:
        muli    r3, r3, 1664525
        addi32  r3, r3, 1013904223
        shri32_u r4, r3, 30
        addi    r4, r4, 'a'
        stx8    r1, r2, r4
        addi    r2, r2, 1
        blti_u  r2, N, fill

        imm     r2, 0                   ; r2: sum
        imm     r3, 0                   ; r3: pattern
next_pattern:
        muli    r4, r3, 500000
        add     r4, r4, r1
        imm     r5, pattern
        imm     r6, M
        bcopy   r5, r4, r6
        call    r20, count
        add32   r2, r2, r21
        addi    r3, r3, 1
        blti_u  r3, 12, next_pattern

        mov     r11, r2
        call    r10, print_result
        ret

; count () -> the sum of the places where the pattern ends
count:
        imm     r2, skip                ; r2: for each byte, how far to move on
        imm     r3, 0
        imm     r4, M
all_bytes:
        stx32   r2, r3, r4
        addi    r3, r3, 1
        blti_u  r3, 256, all_bytes
        imm     r5, pattern             ; r5: pattern
        imm     r3, 0
        addi    r4, r4, -1
its_bytes:
        ldxu8   r6, r5, r3
        stx32   r2, r6, r4
        addi    r3, r3, 1
        addi    r4, r4, -1
        blti_u  r3, (- M 1), its_bytes

        imm     r1, 0                   ; r1: sum
        imm     r3, (+ (address "text") (- M 1)) ; r3: the text's byte at the pattern's end
        imm     r4, (+ (address "text") N)
        addi    r6, r5, (- M 1)         ; r6: the pattern's last byte
search:
        ldu8    r7, r3
        mov     r8, r3
        mov     r9, r6
compare:
        ldu8    r11, r8
        ldu8    r12, r9
        bne     r11, r12, move_on
        addi    r8, r8, -1
        addi    r9, r9, -1
        bge_u   r9, r5, compare
        imm     r11, text
        sub     r11, r3, r11
        add     r1, r1, r11
move_on:
        ldxu32  r7, r2, r7
        add     r3, r3, r7
        blt_u   r3, r4, search
        ret

.bss
text:   .zero   N
pattern: .zero  16
skip:   .zero   1024

.include "result.s"
