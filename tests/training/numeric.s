; Floating point: a linear system, numerical integration, a differential equation, a polynomial, a convolution.
.equ N, 60
.text
_start: imm     r20, 6
        imm     r21, 0
round:  call    r30, fill
        call    r30, eliminate
        add     r21, r21, r31
        call    r30, integrate
        add     r21, r21, r31
        call    r30, lorenz
        add     r21, r21, r31
        call    r30, convolve
        add     r21, r21, r31
        call    r30, newton
        add     r21, r21, r31
        addi    r20, r20, -1
        bnei    r20, 0, round
        mov     r11, r21
        call    r10, put_number
        call    r10, flush_output
        ret

fill:   imm     r1, matrix
        imm     r2, 0
        imm     r5, N
1:      imm     r3, 0
2:      mul     r4, r2, r3
        addi    r4, r4, 7
        remd_u  r4, r4, r5
        bne     r2, r3, 3f
        addi    r4, r4, 100
3:      cvt_f64_s64 r4, r4
        st64    r1, r4
        addi    r1, r1, 8
        addi    r3, r3, 1
        blt_u   r3, r5, 2b
        addi    r2, r2, 1
        blt_u   r2, r5, 1b
        ret

eliminate:                              ; Gauss, in place; the determinant's sign and exponent count
        imm     r2, 0                   ; row
        imm     r10, matrix
        fimm    r11, 1.0
1:      muli    r3, r2, (* 8 N)
        add     r3, r10, r3             ; pivot's row
        ldxu64  r4, r3, r2              ; pivot
        fmul    r11, r11, r4
        addi    r5, r2, 1
2:      bgei_u  r5, N, 5f
        muli    r6, r5, (* 8 N)
        add     r6, r10, r6
        ldxu64  r7, r6, r2
        fdiv    r7, r7, r4
        mov     r8, r2
3:      ldxu64  r9, r3, r8
        fmul    r9, r9, r7
        ldxu64  r12, r6, r8
        fsub    r12, r12, r9
        stx64   r6, r8, r12
        addi    r8, r8, 1
        blti_u  r8, N, 3b
        addi    r5, r5, 1
        jump    2b
5:      addi    r2, r2, 1
        blti_u  r2, N, 1b
        shri_u  r1, r11, 52
        ret

integrate:                              ; x^2 / (1 + x) from 0 to 1
        fimm    r1, 0.0
        fimm    r2, 0.0
        fimm    r3, 0.00001
        fimm    r4, 1.0
1:      fmul    r5, r1, r1
        fadd    r6, r1, r4
        fdiv    r5, r5, r6
        fmul    r5, r5, r3
        fadd    r2, r2, r5
        fadd    r1, r1, r3
        bflt    r1, r4, 1b
        fimm    r3, 1e6
        fmul    r2, r2, r3
        cvt_s64_f64 r1, r2
        ret

lorenz: fimm    r1, 1.0
        mov     r2, r1
        mov     r3, r1
        fimm    r4, 0.001
        fimm    r5, 10.0
        fimm    r6, 28.0
        fimm    r7, 2.6666666666666665
        imm     r8, 40000
1:      fsub    r9, r2, r1
        fmul    r9, r9, r5
        fsub    r10, r6, r3
        fmul    r10, r10, r1
        fsub    r10, r10, r2
        fmul    r11, r1, r2
        fmul    r12, r7, r3
        fsub    r11, r11, r12
        fmul    r9, r9, r4
        fadd    r1, r1, r9
        fmul    r10, r10, r4
        fadd    r2, r2, r10
        fmul    r11, r11, r4
        fadd    r3, r3, r11
        addi    r8, r8, -1
        bnei    r8, 0, 1b
        fimm    r4, 1000.0
        fmul    r1, r1, r4
        cvt_s64_f64 r1, r1
        fabs    r1, r1
        ret

convolve:                               ; a vector with three weights
        imm     r1, matrix
        imm     r2, (+ (address "matrix") (* 8 (- (* N N) 2)))
        fimm    r3, 0.25
        fimm    r4, 0.5
        imm     r10, 20
2:      imm     r1, matrix
1:      ldu64   r5, r1
        ldu64   r6, r1, 8
        ldu64   r7, r1, 16
        fmul    r5, r5, r3
        fmul    r6, r6, r4
        fmul    r7, r7, r3
        fadd    r5, r5, r6
        fadd    r5, r5, r7
        st64    r1, r5
        addi    r1, r1, 8
        blt_u   r1, r2, 1b
        addi    r10, r10, -1
        bnei    r10, 0, 2b
        imm     r1, matrix
        ldu64   r1, r1, 800
        shri_u  r1, r1, 40
        ret

newton: imm     r1, 0                   ; square roots, and distances of points
        imm     r2, 1
        fimm    r8, 0.5
1:      cvt_f64_s64 r3, r2
        mov     r4, r3
        imm     r5, 12
2:      fdiv    r6, r3, r4
        fadd    r4, r4, r6
        fmul    r4, r4, r8
        addi    r5, r5, -1
        bnei    r5, 0, 2b
        fsqrt   r6, r3
        fsub    r6, r6, r4
        fabs    r6, r6
        fimm    r7, 1e-9
        flt     r6, r6, r7
        add     r1, r1, r6
        addi    r2, r2, 1
        blti_u  r2, 4000, 1b
        ret
.bss
matrix: .zero   (* 8 N N)
(include "../../examples/lib/output.scm")
