; Text: words counted, letters counted, lines reversed, a number parsed, strings compared.
.equ N, 200000
.text
_start: imm     r1, text                ; made of words by a generator
        imm     r2, 0
        imm     r3, 12345
make:   muli    r3, r3, 1103515245
        addi32  r3, r3, 12345
        shri32_u r4, r3, 16
        andi    r5, r4, 7
        bnei    r5, 0, letter
        imm     r5, ' '
        jump    put
letter: imm     r6, 26
        rem_u   r5, r4, r6
        addi    r5, r5, 'a'
put:    stx8    r1, r2, r5
        addi    r2, r2, 1
        blti_u  r2, N, make
        imm     r20, 0                  ; r20: sum
        imm     r21, 10                 ; r21: rounds
round:  mov     r31, r1
        imm     r32, N
        call    r30, count_words
        add     r20, r20, r31
        mov     r31, r1
        imm     r32, N
        call    r30, count_letters
        add     r20, r20, r31
        mov     r31, r1
        imm     r32, N
        call    r30, reverse
        mov     r31, r1
        addi    r32, r1, 5000
        imm     r33, 3000
        call    r30, compare
        add     r20, r20, r31
        mov     r31, r1
        imm     r32, N
        call    r30, upper
        addi    r21, r21, -1
        bnei    r21, 0, round
        mov     r11, r20
        call    r10, put_number
        call    r10, flush_output
        ret

count_words:                            ; (address, length)
        add     r2, r1, r2
        imm     r3, 0                   ; words
        imm     r4, 0                   ; within one?
1:      ldu8    r5, r1
        bnei    r5, ' ', 2f
        imm     r4, 0
        jump    3f
2:      bnei    r4, 0, 3f
        imm     r4, 1
        addi    r3, r3, 1
3:      addi    r1, r1, 1
        blt_u   r1, r2, 1b
        mov     r1, r3
        ret

count_letters:
        imm     r3, counts
        add     r2, r1, r2
1:      ldu8    r4, r1
        ldxu32  r5, r3, r4
        addi    r5, r5, 1
        stx32   r3, r4, r5
        addi    r1, r1, 1
        bne     r1, r2, 1b
        imm     r1, 0
        imm     r2, 256
1:      ldu32   r4, r3
        mul     r4, r4, r2
        add     r1, r1, r4
        addi    r3, r3, 4
        addi    r2, r2, -1
        bnei    r2, 0, 1b
        ret

reverse:
        add     r2, r1, r2
        addi    r2, r2, -1
1:      bge_u   r1, r2, 2f
        ldu8    r3, r1
        ldu8    r4, r2
        st8     r1, r4
        st8     r2, r3
        addi    r1, r1, 1
        addi    r2, r2, -1
        jump    1b
2:      ret

compare:                                ; how many bytes differ
        imm     r4, 0
        imm     r7, 0
1:      ldxu8   r5, r1, r4
        ldxu8   r6, r2, r4
        ne      r5, r5, r6
        add     r7, r7, r5
        addi    r4, r4, 1
        blt_u   r4, r3, 1b
        mov     r1, r7
        ret

upper:  imm     r3, 0
1:      ldxu8   r4, r1, r3
        addi    r5, r4, (- (char->integer #\a))
        bgei_u  r5, 26, 2f
        xori    r4, r4, 32
        stx8    r1, r3, r4
2:      addi    r3, r3, 1
        blt_s   r3, r2, 1b
        ret

.bss
text:   .zero   N
counts: .zero   1024
(include "../../examples/lib/output.scm")
