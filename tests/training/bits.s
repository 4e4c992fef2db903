; Bits: CRC-32, ChaCha20, Adler-32, population counts, a bit board of queens, Gray codes, base 64.
.equ N, 60000
.text
_start: imm     r20, 4
        imm     r21, 0
round:  call    r30, crc_table
        imm     r31, data
        imm     r32, N
        call    r30, crc
        add     r21, r21, r31
        call    r30, chacha
        add     r21, r21, r31
        imm     r31, data
        imm     r32, N
        call    r30, adler
        add     r21, r21, r31
        call    r30, population
        add     r21, r21, r31
        imm     r31, 0
        imm     r32, 0
        imm     r33, 0
        call    r30, queens
        add     r21, r21, r31
        call    r30, base64
        add     r21, r21, r31
        addi    r20, r20, -1
        bnei    r20, 0, round
        zext32  r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

crc_table:
        imm     r1, table
        imm     r2, 0
        imm     r5, 0xedb88320
1:      mov     r3, r2
        imm     r4, 8
2:      andi    r6, r3, 1
        shri_u  r3, r3, 1
        beqi    r6, 0, 3f
        xor     r3, r3, r5
3:      addi    r4, r4, -1
        bnei    r4, 0, 2b
        stx32   r1, r2, r3
        addi    r2, r2, 1
        blti_u  r2, 256, 1b
        ret

crc:    imm     r3, table
        imm     r4, 0xffffffff
        add     r2, r1, r2
1:      ldu8    r5, r1
        xor     r5, r5, r4
        andi    r5, r5, 255
        ldxu32  r5, r3, r5
        shri32_u r4, r4, 8
        xor     r4, r4, r5
        addi    r1, r1, 1
        blt_u   r1, r2, 1b
        not     r1, r4
        zext32  r1, r1
        ret

(define (quarter a b c d)
  (define (step x y z n)
    (list (list add32 x x y) (list xor z z x) (list rotli32 z z n)))
  (list (step a b d 16) (step c d b 12) (step a b d 8) (step c d b 7)))

chacha: imm     r40, 300                ; blocks, into data
        imm     r41, data
1:      (map (lambda (n) (list muli (+ r1 n) r40 (+ 77 (* 3 n)))) (iota 16))
        imm     r42, 10
2:      (quarter r1 r5 r9 r13)
        (quarter r2 r6 r10 r14)
        (quarter r3 r7 r11 r15)
        (quarter r4 r8 r12 r16)
        (quarter r1 r6 r11 r16)
        (quarter r2 r7 r12 r13)
        (quarter r3 r8 r9 r14)
        (quarter r4 r5 r10 r15)
        addi    r42, r42, -1
        bnei    r42, 0, 2b
        (map (lambda (n) (list st32 r41 (+ r1 n) (* 4 n))) (iota 16))
        addi    r41, r41, 64
        addi    r40, r40, -1
        bnei    r40, 0, 1b
        ret

adler:  imm     r3, 1
        imm     r4, 0
        imm     r5, 65521
        add     r2, r1, r2
1:      ldu8    r6, r1
        add     r3, r3, r6
        rem_u   r3, r3, r5
        add     r4, r4, r3
        rem_u   r4, r4, r5
        addi    r1, r1, 1
        bne     r1, r2, 1b
        shli    r4, r4, 16
        or      r1, r4, r3
        ret

population:
        imm     r1, 0
        imm     r2, data
        imm     r3, (quotient N 8)
        imm     r10, 0x5555555555555555
        imm     r11, 0x3333333333333333
        imm     r12, 0x0f0f0f0f0f0f0f0f
        imm     r13, 0x0101010101010101
1:      ldu64   r4, r2
        shri_u  r5, r4, 1
        and     r5, r5, r10
        sub     r4, r4, r5
        shri_u  r5, r4, 2
        and     r5, r5, r11
        and     r4, r4, r11
        add     r4, r4, r5
        shri_u  r5, r4, 4
        add     r4, r4, r5
        and     r4, r4, r12
        mul     r4, r4, r13
        shri_u  r4, r4, 56
        add     r1, r1, r4
        addi    r2, r2, 8
        addi    r3, r3, -1
        bnei    r3, 0, 1b
        ret

queens:                                 ; (columns, diagonals, other diagonals) -> solutions for 8
        bnei    r1, 255, 1f
        imm     r1, 1
        ret
1:      or      r4, r1, r2
        or      r4, r4, r3
        not     r4, r4
        andi    r4, r4, 255             ; where one may stand
        imm     r6, 0
2:      beqi    r4, 0, 3f
        neg     r5, r4
        and     r5, r5, r4
        xor     r4, r4, r5
        or      r21, r1, r5
        or      r22, r2, r5
        shli    r22, r22, 1
        or      r23, r3, r5
        shri_u  r23, r23, 1
        call    r20, queens
        add     r6, r6, r21
        jump    2b
3:      mov     r1, r6
        ret

base64: imm     r1, data
        imm     r2, (+ (address "data") N)
        imm     r3, output
        imm     r4, letters
1:      ldu8    r5, r1
        ldu8    r6, r1, 1
        ldu8    r7, r1, 2
        shli    r5, r5, 16
        shli    r6, r6, 8
        or      r5, r5, r6
        or      r5, r5, r7
        (map (lambda (n)
               (list (list shri_u r6 r5 (- 18 (* 6 n)))
                     (list andi r6 r6 63)
                     (list ldxu8 r6 r4 r6)
                     (list st8 r3 r6 n)))
             (iota 4))
        addi    r1, r1, 3
        addi    r3, r3, 4
        blt_u   r1, r2, 1b
        ldu8    r1, r3, -1
        ret
.data
letters: .ascii "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
.bss
.align 8
data:   .zero   (+ N 64)
output: .zero   (* 2 N)
table:  .zero   1024
(include "../../examples/lib/output.scm")
