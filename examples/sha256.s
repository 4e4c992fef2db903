; sha256.s: the SHA-256 digest of standard input, printed as `sha256sum` prints it.
;
; Shows: Scheme as the macro language. The 64 rounds are written once and unrolled; the constants, which
; other programs have as tables, are computed from their definition while the program is assembled. And
; registers without number: the 64 words of the message schedule are registers, and so is the state,
; which the compression function gets and gives back in place, without a copy.
;
;     build/comet-vm run examples/sha256.s < README.md
;     sha256sum < README.md
;
; The algorithm and its names are those of FIPS 180-4.

(define PIECE 65536)                    ; bytes read at a time, a multiple of the 64 bytes of a block

; ---- constants, from their definition ----------------------------------------------------------------

; The first 32 bits behind the point of the nth root of a number: the integer part of
; root (number) * 2^32, without what stands before the point.
(define (root-fraction number n)
  (modulo (integer-nth-root (* number (expt 2 (* 32 n))) n)
          (expt 2 32)))

(define (primes how-many)
  (let next ((candidate 2) (found '()))
    (cond ((= (length found) how-many)
           (reverse found))
          ((memv 0 (map (lambda (prime) (modulo candidate prime)) found))
           (next (+ candidate 1) found))
          (else
           (next (+ candidate 1) (cons candidate found))))))

(define initial-state   (map (lambda (prime) (root-fraction prime 2)) (primes 8)))
(define round-constants (list->vector (map (lambda (prime) (root-fraction prime 3)) (primes 64))))

; ---- the compression function's registers --------------------------------------------------------------

; r1 to r8 hold the state, r9 the address of the block.
(define %block r9)

; The working variables a to h. After each round every value moves on to the next letter: instead of
; moving values, round `i` counts the letters from another register.
(define (working letter i)
  (+ r10 (modulo (- letter i) 8)))

(define %temporary1 r18)
(define %temporary2 r19)

(define (schedule i)                    ; the words W0 to W63
  (+ r32 i))

; ---- its parts ----------------------------------------------------------------------------------------

; to := three rotations of `from` combined by exclusive or; the right rotations of the standard.
(define (rotations to from first second third)
  (list (list rotli32 to from (- 32 first))
        (list rotli32 %temporary2 from (- 32 second))
        (list xor to to %temporary2)
        (list rotli32 %temporary2 from (- 32 third))
        (list xor to to %temporary2)))

; The same with a shift in the place of the third.
(define (rotations-and-shift to from first second third)
  (list (list rotli32 to from (- 32 first))
        (list rotli32 %temporary2 from (- 32 second))
        (list xor to to %temporary2)
        (list shri32_u %temporary2 from third)
        (list xor to to %temporary2)))

; W0 to W15 are the block, in big-endian words.
(define (load-word i)
  (list (list ldu32 (schedule i) %block (* 4 i))
        (list bswap32 (schedule i) (schedule i))))

; Each further word comes from four before it.
(define (extend-schedule i)
  (let ((word (schedule i)))
    (list (rotations-and-shift word (schedule (- i 2)) 17 19 10)
          (list add32 word word (schedule (- i 7)))
          (rotations-and-shift %temporary1 (schedule (- i 15)) 7 18 3)
          (list add32 word word %temporary1)
          (list add32 word word (schedule (- i 16))))))

(define (compression-round i)
  (let ((a (working 0 i)) (b (working 1 i)) (c (working 2 i)) (d (working 3 i))
        (e (working 4 i)) (f (working 5 i)) (g (working 6 i)) (h (working 7 i)))
    (list ; h := h + K + W + choice (e, f, g) + rotations of e
          (list addi32 h h (vector-ref round-constants i))
          (list add32 h h (schedule i))
          (list xor %temporary1 f g)
          (list 'and %temporary1 %temporary1 e)
          (list xor %temporary1 %temporary1 g)
          (list add32 h h %temporary1)
          (rotations %temporary1 e 6 11 25)
          (list add32 h h %temporary1)
          ; d := d + h, which is the next round's e
          (list add32 d d h)
          ; h := h + majority (a, b, c) + rotations of a, which is the next round's a
          (list 'or %temporary1 a b)
          (list 'and %temporary1 %temporary1 c)
          (list 'and %temporary2 a b)
          (list 'or %temporary1 %temporary1 %temporary2)
          (list add32 h h %temporary1)
          (rotations %temporary1 a 2 13 22)
          (list add32 h h %temporary1))))

; The code that `part` gives for each number from `first` up to, not including, `end`.
(define (for-each-number first end part)
  (map part (iota (- end first) first)))

; ---- the program --------------------------------------------------------------------------------------

; The state lives in r31 to r38 and the address of a block in r39: where compress wants them when it is
; called with a window at r30. What is to survive that is in r1 to r29; other calls have their window at
; r50, where compress leaves nothing that is needed.
.text
_start:
        (for-each-number 0 8
          (lambda (i) (list imm (+ r31 i) (list-ref initial-state i))))
        imm     r1, 0                   ; r1: bytes read so far

next_piece:
        call    r50, read_piece
        mov     r2, r51                 ; r2: bytes of this piece, PIECE unless it is the last
        add     r1, r1, r2
        imm     r39, piece
        add     r3, r39, r2
        addi    r3, r3, -63             ; r3: a block that begins before it is whole
next_block:
        bge_u   r39, r3, piece_done
        call    r30, compress
        addi    r39, r39, 64
        jump    next_block
piece_done:
        beqi    r2, PIECE, next_piece

; What is left of the message, less than a block, is followed by the byte 0x80, by zeros, and by the
; message's length in bits, so that it all ends with a block: another one if these eight bytes do not fit.
        andi    r3, r1, 63              ; r3: bytes that are left
        add     r4, r39, r3
        imm     r5, 0x80
        st8     r4, r5
        addi    r4, r4, 1
        imm     r5, 127
        bfill   r4, r0, r5

        gti_u   r4, r3, 55
        shli    r4, r4, 6
        add     r4, r39, r4             ; r4: the last block
        shli    r5, r1, 3
        bswap64 r5, r5
        st64    r4, r5, 56
last_blocks:
        call    r30, compress
        addi    r39, r39, 64
        bge_u   r4, r39, last_blocks

        (for-each-number 0 8
          (lambda (i) (list (list mov r51 (+ r31 i))
                            (list call r50 (address "put_hexadecimal")))))
        imm     r51, no_name
        call    r50, put_string
        call    r50, flush_output
        ret

; compress (state in r1 to r8, address of a block) -> the new state in r1 to r8
compress:
        (for-each-number 0 16 load-word)
        (for-each-number 16 64 extend-schedule)
        (for-each-number 0 8 (lambda (i) (list mov (working i 0) (+ r1 i))))
        (for-each-number 0 64 compression-round)
        (for-each-number 0 8 (lambda (i) (list add32 (+ r1 i) (+ r1 i) (working i 64))))
        ret

; read_piece () -> bytes read into `piece`: as many as it holds, or all that there were
read_piece:
        imm     r1, 0
read_more:
        imm     r11, 0
        imm     r12, piece
        add     r12, r12, r1
        imm     r13, PIECE
        sub     r13, r13, r1
        hcall   r10, read               ; r11: how many bytes came, 0 at the end, negative on an error
        blti_s  r11, 0, cannot_read
        beqi    r11, 0, read_done
        add     r1, r1, r11
        bnei    r1, PIECE, read_more
read_done:
        ret

cannot_read:
        imm     r11, complaint
        imm     r12, (- (address "complaint_end") (address "complaint"))
        call    r10, fail

; put_hexadecimal (32-bit word): eight digits, the first one from the word's upper four bits
put_hexadecimal:
        imm     r2, 8
        imm     r3, digits
next_digit:
        rotli32 r1, r1, 4
        andi    r4, r1, 15
        ldxu8   r11, r3, r4
        call    r10, put_byte
        addi    r2, r2, -1
        bnei    r2, 0, next_digit
        ret

.rodata
digits:
        .ascii  "0123456789abcdef"
no_name:                                ; sha256sum prints the file's name here, or - for standard input
        .asciz  "  -\n"
complaint:
        .ascii  "sha256: standard input cannot be read\n"
complaint_end:

.bss
piece:                                  ; and room for what is put behind the message
        .zero   (+ PIECE 128)

(include "lib/output.scm")
