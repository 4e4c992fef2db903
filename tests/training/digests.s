; Digests and generators on 32 bits: SHA-1's and MD5's rounds, FNV, Jenkins, MurmurHash, a Mersenne twister, TEA.
.equ N, 8192
.text
_start: imm     r20, 12
        imm     r21, 0
round:  call    r30, fill
        call    r30, sha1
        add     r21, r21, r31
        call    r30, md5
        add     r21, r21, r31
        call    r30, small_hashes
        add     r21, r21, r31
        call    r30, murmur
        add     r21, r21, r31
        call    r30, twister
        add     r21, r21, r31
        call    r30, tea
        add     r21, r21, r31
        addi    r20, r20, -1
        bnei    r20, 0, round
        zext32  r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

fill:   imm     r1, data
        imm     r2, 0
1:      muli    r3, r2, 2654435761
        shri32_u r3, r3, 24
        stx8    r1, r2, r3
        addi    r2, r2, 1
        blti_u  r2, N, 1b
        ret

; Five words a to e in r11 to r15; each round they move on by one, which is done by counting from another.
(define (sha1-word letter i) (+ r11 (modulo (- letter i) 5)))
(define (sha1-round i)
  (let ((a (sha1-word 0 i)) (b (sha1-word 1 i)) (c (sha1-word 2 i)) (d (sha1-word 3 i)) (e (sha1-word 4 i)))
    (list (list ldu32 r16 r3 (* 4 (modulo i 5)))
          (list add32 e e r16)
          (if (even? (quotient i 5))
              (list (list xor r16 c d) (list 'and r16 r16 b) (list xor r16 r16 d))
              (list (list xor r16 b c) (list xor r16 r16 d)))
          (list add32 e e r16)
          (list addi32 e e #x5a827999)
          (list rotli32 r16 a 5)
          (list add32 e e r16)
          (list rotli32 b b 30))))

sha1:   imm     r1, data
        imm     r2, (+ (address "data") N)
        (map (lambda (n) (list imm (+ r11 n) (* (+ n 1) #x10325476))) (iota 5))
1:      imm     r3, words
        imm     r4, 0
2:      ldxu32  r5, r1, r4
        bswap32 r5, r5
        stx32   r3, r4, r5
        addi    r4, r4, 1
        blti_u  r4, 16, 2b
3:      addi    r5, r4, -3
        ldxu32  r6, r3, r5
        addi    r5, r4, -8
        ldxu32  r7, r3, r5
        xor     r6, r6, r7
        addi    r5, r4, -14
        ldxu32  r7, r3, r5
        xor     r6, r6, r7
        rotli32 r6, r6, 1
        stx32   r3, r4, r6
        addi    r4, r4, 1
        blti_u  r4, 80, 3b
        imm     r4, 8
4:      (map sha1-round (iota 10))
        addi    r3, r3, 40
        addi    r4, r4, -1
        bnei    r4, 0, 4b
        addi    r1, r1, 64
        blt_u   r1, r2, 1b
        xor     r1, r11, r15
        ret

(define (md5-step a b c d n shift)
  (list (list xor r7 c d)
        (list 'and r7 r7 b)
        (list xor r7 r7 d)
        (list add32 a a r7)
        (list ldu32 r7 r1 (* 4 n))
        (list add32 a a r7)
        (list addi32 a a (+ #x1234567 (* n n 7919)))
        (list rotli32 a a shift)
        (list add32 a a b)))

md5:    imm     r1, data
        imm     r2, (+ (address "data") N)
        imm     r3, 0x67452301
        imm     r4, 0xefcdab89
        imm     r5, 0x98badcfe
        imm     r6, 0x10325476
1:      (map (lambda (n)
               (list (md5-step r3 r4 r5 r6 (* 4 n) 7)
                     (md5-step r6 r3 r4 r5 (+ 1 (* 4 n)) 12)
                     (md5-step r5 r6 r3 r4 (+ 2 (* 4 n)) 17)
                     (md5-step r4 r5 r6 r3 (+ 3 (* 4 n)) 22)))
             (iota 4))
        addi    r1, r1, 64
        blt_u   r1, r2, 1b
        xor     r1, r3, r5
        ret

small_hashes:
        imm     r1, data
        imm     r2, N
        add     r2, r1, r2
        imm     r3, 0x811c9dc5
        imm     r4, 0
        imm     r6, 16777619
1:      ldu8    r5, r1
        xor     r3, r3, r5
        mul32   r3, r3, r6
        add32   r4, r4, r5
        shli32  r5, r4, 10
        add32   r4, r4, r5
        shri32_u r5, r4, 6
        xor     r4, r4, r5
        addi    r1, r1, 1
        bne     r1, r2, 1b
        xor     r1, r3, r4
        ret

murmur: imm     r1, data
        imm     r2, (+ (address "data") N)
        imm     r3, 0xc6a4a7935bd1e995
        imm     r4, 42
1:      ldu64   r5, r1
        mul     r5, r5, r3
        shri_u  r6, r5, 47
        xor     r5, r5, r6
        mul     r5, r5, r3
        xor     r4, r4, r5
        mul     r4, r4, r3
        addi    r1, r1, 8
        blt_u   r1, r2, 1b
        shri_u  r6, r4, 47
        xor     r4, r4, r6
        mul     r1, r4, r3
        ret

twister:                                ; 624 words, brought on and tempered
        imm     r1, words
        imm     r2, 1
        imm     r3, 5489
        st32    r1, r3
        imm     r6, 1812433253
1:      shri32_u r4, r3, 30
        xor     r3, r3, r4
        mul32   r3, r3, r6
        add32   r3, r3, r2
        stx32   r1, r2, r3
        addi    r2, r2, 1
        blti_u  r2, 624, 1b
        imm     r2, 0
        imm     r8, 0
        imm     r9, 0x9908b0df
        imm     r10, 0x80000000
2:      ldxu32  r3, r1, r2
        and     r3, r3, r10
        addi    r4, r2, 1
        ldxu32  r5, r1, r4
        andi    r5, r5, 0x7fffffff
        or      r3, r3, r5
        shri32_u r6, r3, 1
        andi    r7, r3, 1
        beqi    r7, 0, 3f
        xor     r6, r6, r9
3:      addi    r5, r2, 397
        ldxu32  r7, r1, r5
        xor     r6, r6, r7
        stx32   r1, r2, r6
        shri32_u r7, r6, 11
        xor     r6, r6, r7
        shli32  r7, r6, 7
        andi    r7, r7, 0x9d2c5680
        xor     r6, r6, r7
        add32   r8, r8, r6
        addi    r2, r2, 1
        blti_u  r2, 226, 2b
        mov     r1, r8
        ret

tea:    imm     r1, 0x01234567
        imm     r2, 0x89abcdef
        imm     r10, 20
1:      imm     r3, 0
        imm     r4, 32
2:      addi32  r3, r3, 0x9e3779b9
        shli32  r5, r2, 4
        addi32  r5, r5, 11
        add32   r6, r2, r3
        xor     r5, r5, r6
        shri32_u r6, r2, 5
        addi32  r6, r6, 13
        xor     r5, r5, r6
        add32   r1, r1, r5
        shli32  r5, r1, 4
        addi32  r5, r5, 17
        add32   r6, r1, r3
        xor     r5, r5, r6
        shri32_u r6, r1, 5
        addi32  r6, r6, 19
        xor     r5, r5, r6
        add32   r2, r2, r5
        addi    r4, r4, -1
        bnei    r4, 0, 2b
        addi    r10, r10, -1
        bnei    r10, 0, 1b
        xor     r1, r1, r2
        ret
.bss
.align 8
data:   .zero   N
words:  .zero   4096
(include "../../examples/lib/output.scm")
