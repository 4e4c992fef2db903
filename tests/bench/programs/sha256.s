; SHA-256 of 40 megabytes: 32-bit integers, rotations and tables. The names are those of FIPS 180-4.
.equ LENGTH, 1048576
.equ TIMES, 40

; The working variables a to h. Each round moves every value on to the next letter; instead, round `i`
; counts the letters from another register, so that after eight rounds all are where they were.
(define (working letter i)
  (+ r10 (modulo (- letter i) 8)))

(define (rotated-right to from n) (list rotli32 to from (- 32 n)))

; to := three rotations of `from` to the right, combined by exclusive or; the last one may be a shift.
(define (rotations to from first second third #!optional (last rotated-right))
  (list (rotated-right to from first)
        (rotated-right r20 from second)
        (list xor to to r20)
        (last r20 from third)
        (list xor to to r20)))

(define (shifted-right to from n) (list shri32_u to from n))

; r3: address of the round's word, r4: of its constant, both for the first of eight rounds
(define (compression-round i)
  (let ((a (working 0 i)) (b (working 1 i)) (c (working 2 i)) (d (working 3 i))
        (e (working 4 i)) (f (working 5 i)) (g (working 6 i)) (h (working 7 i)))
    (list (list ldu32 r18 r4 (* 4 i))
          (list add32 h h r18)
          (list ldu32 r18 r3 (* 4 i))
          (list add32 h h r18)
          (list xor r18 f g)
          (list 'and r18 r18 e)
          (list xor r18 r18 g)
          (list add32 h h r18)
          (rotations r18 e 6 11 25)
          (list add32 h h r18)
          (list add32 d d h)
          (list xor r18 b c)
          (list 'and r18 r18 a)
          (list 'and r20 b c)
          (list xor r18 r18 r20)
          (list add32 h h r18)
          (rotations r18 a 2 13 22)
          (list add32 h h r18))))

.text
_start:
        imm     r1, message             ; filled by a generator
        imm     r2, 0
        imm     r3, 1
fill:
        muli    r3, r3, 1664525
        addi32  r3, r3, 1013904223
        shri32_u r4, r3, 24
        stx8    r1, r2, r4
        addi    r2, r2, 1
        blti_u  r2, LENGTH, fill

        imm     r2, TIMES
again:
        imm     r41, message
        imm     r3, (+ (address "message") LENGTH)
block:
        call    r40, compress
        addi    r41, r41, 64
        blt_u   r41, r3, block
        addi    r2, r2, -1
        bnei    r2, 0, again

        imm     r1, hash
        ldu32   r11, r1
        ldu32   r2, r1, 28
        xor     r11, r11, r2
        call    r10, print_result
        ret

; compress (address of a block): brings `hash` on
compress:
        imm     r2, schedule
        imm     r3, 0
load:
        ldxu32  r4, r1, r3
        bswap32 r4, r4
        stx32   r2, r3, r4
        addi    r3, r3, 1
        blti_u  r3, 16, load

        addi    r3, r2, 64              ; r3: the word that comes next
        addi    r4, r2, 256
extend:
        ldu32   r5, r3, -60
        (rotations r6 r5 7 18 3 shifted-right)
        ldu32   r5, r3, -8
        (rotations r7 r5 17 19 10 shifted-right)
        ldu32   r5, r3, -64
        add32   r5, r5, r6
        ldu32   r6, r3, -28
        add32   r5, r5, r6
        add32   r5, r5, r7
        st32    r3, r5
        addi    r3, r3, 4
        blt_u   r3, r4, extend

        imm     r5, hash
        (map (lambda (n) (list ldu32 (working n 0) r5 (* 4 n))) (iota 8))
        mov     r3, r2
        imm     r4, constants
        addi    r6, r2, 256
rounds:
        (map compression-round (iota 8))
        addi    r3, r3, 32
        addi    r4, r4, 32
        blt_u   r3, r6, rounds
        (map (lambda (n)
               (list (list ldu32 r3 r5 (* 4 n))
                     (list add32 r3 r3 (working n 0))
                     (list st32 r5 r3 (* 4 n))))
             (iota 8))
        ret

.data
hash:
        .word 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
constants:
        .word 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
        .word 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
        .word 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
        .word 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
        .word 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
        .word 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
        .word 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
        .word 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2

.bss
schedule: .zero 256
message: .zero  LENGTH

.include "result.s"
