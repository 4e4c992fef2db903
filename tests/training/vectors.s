; Vectors: products of vectors and matrices in floating point and integers, bodies in space, rays that meet spheres.
.equ N, 512
.text
_start: imm     r20, 30
        imm     r21, 0
round:  call    r30, fill
        imm     r31, left
        imm     r32, right
        imm     r33, N
        call    r30, dot
        cvt_s64_f64 r31, r31
        add     r21, r21, r31
        imm     r31, left
        imm     r32, right
        fimm    r33, 0.5
        call    r30, scale_and_add
        imm     r31, numbers
        imm     r32, N
        call    r30, dot_integers
        add     r21, r21, r31
        call    r30, transform
        add     r21, r21, r31
        call    r30, particles
        add     r21, r21, r31
        call    r30, rays
        add     r21, r21, r31
        addi    r20, r20, -1
        bnei    r20, 0, round
        zext32  r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

fill:   imm     r1, left
        imm     r2, right
        imm     r3, 0
        fimm    r5, 0.001
        imm     r6, numbers
1:      cvt_f64_s64 r4, r3
        stx64   r1, r3, r4
        fmul    r4, r4, r5
        stx64   r2, r3, r4
        mul     r4, r3, r3
        stx64   r6, r3, r4
        addi    r3, r3, 1
        blti_u  r3, N, 1b
        ret

dot:                                    ; (vector, vector, length)
        imm     r4, 0
        imm     r5, 0
1:      ldxu64  r6, r1, r5
        ldxu64  r7, r2, r5
        fmul    r6, r6, r7
        fadd    r4, r4, r6
        addi    r5, r5, 1
        blt_u   r5, r3, 1b
        imm     r5, 0                   ; once more, by pointers, downwards
        shli    r6, r3, 3
        add     r6, r6, r1
2:      ldu64   r7, r1
        ldu64   r8, r2
        addi    r1, r1, 8
        addi    r2, r2, 8
        fmul    r7, r7, r8
        fadd    r5, r5, r7
        blt_u   r1, r6, 2b
        fadd    r1, r4, r5
        ret

scale_and_add:                          ; (to, from, factor)
        imm     r4, 0
1:      ldxu64  r5, r2, r4
        fmul    r5, r5, r3
        ldxu64  r6, r1, r4
        fadd    r5, r6, r5
        stx64   r1, r4, r5
        addi    r4, r4, 1
        blti_u  r4, N, 1b
        ret

dot_integers:                           ; (vector, length)
        imm     r3, 0
        imm     r4, 0
        addi    r7, r1, (* 8 (- N 1))
1:      ldxu64  r5, r1, r4
        ldu64   r6, r7
        mul     r5, r5, r6
        add     r3, r3, r5
        addi    r7, r7, -8
        addi    r4, r4, 1
        blt_s   r4, r2, 1b
        mov     r1, r3
        ret

transform:                              ; points of four by a matrix of four by four
        imm     r1, left
        imm     r2, right
        imm     r3, 0
        imm     r9, numbers
1:      (map (lambda (row)
               (list (list ldu64 r4 r2 (* 32 row))
                     (list ldu64 r5 r1)
                     (list fmul r6 r4 r5)
                     (map (lambda (column)
                            (list (list ldu64 r4 r2 (+ (* 32 row) (* 8 column)))
                                  (list ldu64 r5 r1 (* 8 column))
                                  (list fmul r4 r4 r5)
                                  (list fadd r6 r6 r4)))
                          '(1 2 3))
                     (list st64 r9 r6 (* 8 row))))
             (iota 4))
        addi    r1, r1, 32
        addi    r9, r9, 32
        addi    r3, r3, 1
        blti_u  r3, (quotient N 4), 1b
        shri_u  r1, r6, 44
        ret

particles:                              ; 64 that fall and bounce: place and velocity in three components
        imm     r1, left
        imm     r2, (+ (address "left") (* 64 48))
        fimm    r3, 0.01
        fimm    r4, -9.8
        imm     r10, 0
        fimm    r11, -1.0
1:      (map (lambda (n)
               (list (list ldu64 r5 r1 (+ 24 (* 8 n)))
                     (if (= n 2) (list (list fmul r6 r4 r3) (list fadd r5 r5 r6) (list st64 r1 r5 40)) '())
                     (list fmul r5 r5 r3)
                     (list ldu64 r6 r1 (* 8 n))
                     (list fadd r6 r6 r5)
                     (list st64 r1 r6 (* 8 n))))
             (iota 3))
        ldu64   r5, r1, 16
        bfnlt   r5, r10, 2f
        ldu64   r6, r1, 40
        fmul    r6, r6, r11
        st64    r1, r6, 40
2:      ldu64   r5, r1
        ldu64   r6, r1, 8
        ldu64   r7, r1, 16
        fmul    r5, r5, r5
        fmul    r6, r6, r6
        fmul    r7, r7, r7
        fadd    r5, r5, r6
        fadd    r5, r5, r7
        fsqrt   r5, r5
        fadd    r12, r12, r5
        addi    r1, r1, 48
        blt_u   r1, r2, 1b
        shri_u  r1, r5, 44
        ret

rays:                                   ; from the origin through a grid, against one sphere
        imm     r1, 0
        imm     r2, 0
        fimm    r10, 5.0
        fimm    r11, 0.0625
        fimm    r12, 4.0
        imm     r15, 0
1:      imm     r3, 0
        cvt_f64_s64 r4, r2
        fmul    r4, r4, r11
        fsub    r4, r4, r12
2:      cvt_f64_s64 r5, r3
        fmul    r5, r5, r11
        fsub    r5, r5, r12
        fmul    r6, r4, r4
        fmul    r7, r5, r5
        fadd    r6, r6, r7
        fmul    r7, r10, r10
        fadd    r6, r6, r7
        fsqrt   r6, r6
        fdiv    r7, r4, r6
        fdiv    r8, r5, r6
        fdiv    r9, r10, r6
        fmul    r7, r7, r4
        fmul    r8, r8, r5
        fmul    r9, r9, r10
        fadd    r7, r7, r8
        fadd    r7, r7, r9
        fmul    r8, r7, r7
        fsub    r8, r8, r10
        bfnle   r15, r8, 3f
        addi    r1, r1, 1
3:      addi    r3, r3, 1
        blti_s  r3, 32, 2b
        addi    r2, r2, 1
        blti_s  r2, 32, 1b
        ret
.bss
.align 8
left:   .zero   (* 8 N)
right:  .zero   (* 8 N)
numbers: .zero  (* 8 N)
(include "../../examples/lib/output.scm")
