; mandelbrot.s: a picture of the Mandelbrot set, as a binary PPM file on standard output.
;
; Shows: floating point, which lives in the same registers as everything else; constants and a palette
; that Scheme computes; writing bytes that are not text.
;
;     build/comet-vm run examples/mandelbrot.s > mandelbrot.ppm
;
; and then any picture viewer, or `pnmtopng mandelbrot.ppm > mandelbrot.png`.
;
; For each point c the sequence z := z * z + c is followed from 0. Where it leaves the circle of radius 2
; it goes to infinity, and the number of steps that takes gives the colour; points that have not left it
; after `limit` steps belong to the set, and are black.

(define width  384)
(define height 256)
(define limit  100)

; The picture shows x from -2.25 to 0.75 and y from -1 to 1. Steps of 1/128 are exact in binary, so that
; every computer, and every other program, finds the same points.
(define spacing  1/128)
(define leftmost (- (/ 9 4)))
(define topmost  -1)

; The colour after `count` steps: three bytes, each a bump of its own over the way from 0 to the limit.
; The root stretches the beginning, where most of what happens happens.
(define (colour count)
  (let* ((t (sqrt (/ (exact->inexact count) limit)))
         (u (- 1. t))
         (byte (lambda (level) (inexact->exact (floor (* 255. level))))))
    (u8vector (byte (* 9. u t t t))
              (byte (* 15. u u t t))
              (byte (* 8.5 u u u t)))))

.text
_start:
        imm     r11, header
        call    r10, put_string
        call    r10, flush_output

        imm     r1, 0                   ; r1: the line
        fimm    r2, (exact->inexact topmost)    ; r2: its y
        fimm    r3, (exact->inexact spacing)
next_line:
        mov     r11, r2
        call    r10, compute_line
        imm     r11, 1
        imm     r12, line
        imm     r13, (* 3 width)
        call    r10, write_all
        fadd    r2, r2, r3
        addi    r1, r1, 1
        bnei    r1, height, next_line
        ret

; compute_line (y): fills `line` with the colours of the points at y
compute_line:
        imm     r2, line
        imm     r3, (+ (address "line") (* 3 width))
        fimm    r4, (exact->inexact leftmost)   ; r4: x
        fimm    r5, (exact->inexact spacing)
        imm     r6, palette
        imm     r7, 3
next_point:
        mov     r11, r4
        mov     r12, r1
        call    r10, steps_to_leave     ; r11: how many
        muli    r11, r11, 3
        add     r8, r6, r11
        bcopy   r2, r8, r7
        addi    r2, r2, 3
        fadd    r4, r4, r5
        bne     r2, r3, next_point
        ret

; steps_to_leave (x, y) -> the number of steps after which c = x + iy is outside, or limit
steps_to_leave:
        imm     r3, 0                   ; r3: the steps
        imm     r4, 0                   ; r4, r5: z, real and imaginary part; the bits of 0.0 are zeros
        imm     r5, 0
        fimm    r6, 4.0
next_step:
        fmul    r7, r4, r4
        fmul    r8, r5, r5
        fadd    r9, r7, r8              ; r9: the square of the distance
        bflt    r6, r9, outside
        fmul    r5, r4, r5              ; 2 * real * imaginary + y
        fadd    r5, r5, r5
        fadd    r5, r5, r2
        fsub    r4, r7, r8              ; real * real - imaginary * imaginary + x
        fadd    r4, r4, r1
        addi    r3, r3, 1
        bnei    r3, limit, next_step
outside:
        mov     r1, r3
        ret

.rodata
header:                                 ; kind of file, width, height, largest value
        (string->utf8 (string-append "P6\n" (number->string width) " " (number->string height) "\n255\n"))
        .byte   0
palette:
        (map colour (iota limit))
        .byte   0 0 0                   ; the set itself

.bss
line:
        .zero   (* 3 width)

(include "lib/output.scm")
