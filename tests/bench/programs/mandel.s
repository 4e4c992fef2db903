; Iterations of the Mandelbrot set on 500 by 500 points, at most 500 each: floating point.
.equ SIZE, 500
.equ MOST, 500
.text
_start:
        imm     r1, 0                   ; r1: sum
        imm     r2, 0                   ; r2: y
        imm     r4, SIZE
        cvt_f64_u64 r20, r4             ; r20: SIZE
        fimm    r21, 2.0
        fimm    r22, 4.0
        fimm    r23, 1.5
        fimm    r24, 1.0
row:
        cvt_f64_u64 r5, r2
        fmul    r5, r21, r5
        fdiv    r5, r5, r20
        fsub    r5, r5, r24             ; r5: ci = 2 y / SIZE - 1
        imm     r3, 0                   ; r3: x
column:
        cvt_f64_u64 r6, r3
        fmul    r6, r21, r6
        fdiv    r6, r6, r20
        fsub    r6, r6, r23             ; r6: cr = 2 x / SIZE - 1.5
        imm     r7, 0                   ; r7: zr
        imm     r8, 0                   ; r8: zi
        imm     r9, 0                   ; r9: zr squared
        imm     r10, 0                  ; r10: zi squared
        imm     r11, 0                  ; r11: n
iterate:
        fadd    r12, r9, r10
        bfnle   r12, r22, escaped
        fmul    r13, r21, r7
        fmul    r13, r13, r8
        fadd    r8, r13, r5
        fsub    r13, r9, r10
        fadd    r7, r13, r6
        fmul    r9, r7, r7
        fmul    r10, r8, r8
        addi    r11, r11, 1
        blti_u  r11, MOST, iterate
escaped:
        add     r1, r1, r11
        addi    r3, r3, 1
        blt_u   r3, r4, column
        addi    r2, r2, 1
        blt_u   r2, r4, row

        mov     r11, r1
        call    r10, print_result
        ret

.include "result.s"
