; Matrices of 256 by 256, multiplied eight times in floating point (rows by rows) and in integers (rows by
; columns): loads, multiplications and additions.
.equ N, 256
.equ ROW, (* 8 N)
.text
_start:
        call    r1, fill
        imm     r1, 0                   ; r1: round
        fimm    r2, 1e-9
round:
        call    r20, multiply_f64
        call    r20, multiply_integers
        muli    r3, r1, (+ ROW 8)       ; r3: offset of the element [round, round]
        shli    r4, r1, 3
        imm     r5, c
        add     r5, r5, r4
        ldu64   r5, r5, ROW
        fmul    r5, r5, r2
        imm     r6, a
        add     r6, r6, r3
        ldu64   r7, r6
        fadd    r7, r7, r5
        st64    r6, r7                  ; a[round, round] += c[1, round] * 1e-9
        muli    r5, r1, ROW
        imm     r6, ic
        add     r6, r6, r5
        ldu64   r5, r6, 24
        imm     r6, ia
        add     r6, r6, r3
        ldu64   r7, r6
        add     r7, r7, r5
        st64    r6, r7                  ; ia[round, round] += ic[round, 3]
        addi    r1, r1, 1
        blti_u  r1, 8, round

        imm     r1, 0
        imm     r2, 0                   ; r2: sum of c's diagonal
        imm     r3, 0                   ; r3: sum of ic's other diagonal
        imm     r4, c
        imm     r5, (+ (address "ic") (- ROW 8))
trace:
        ldu64   r6, r4
        fadd    r2, r2, r6
        ldu64   r6, r5
        add     r3, r3, r6
        addi    r4, r4, (+ ROW 8)
        addi    r5, r5, (- ROW 8)
        addi    r1, r1, 1
        blti_u  r1, N, trace
        cvt_s64_f64 r2, r2
        xor     r11, r2, r3
        zext32  r11, r11
        call    r10, print_result
        ret

; c := a times b transposed
multiply_f64:
        imm     r1, a                   ; r1: row of a
        imm     r3, c                   ; r3: element of c
        imm     r8, b
        imm     r9, ia                  ; where a ends
f64_row:
        mov     r2, r8                  ; r2: row of b
        addi    r10, r8, (* N ROW)
f64_element:
        imm     r4, 0                   ; r4: sum
        imm     r5, 0                   ; r5: k
f64_product:
        ldxu64  r6, r1, r5
        ldxu64  r7, r2, r5
        fmul    r6, r6, r7
        fadd    r4, r4, r6
        addi    r5, r5, 1
        blti_u  r5, N, f64_product
        st64    r3, r4
        addi    r3, r3, 8
        addi    r2, r2, ROW
        blt_u   r2, r10, f64_element
        addi    r1, r1, ROW
        blt_u   r1, r9, f64_row
        ret

; ic := ia times ib
multiply_integers:
        imm     r1, ia                  ; r1: row of ia
        imm     r3, ic                  ; r3: element of ic
        imm     r9, b                   ; where ia ends
integer_row:
        imm     r8, ib                  ; r8: top of a column of ib
        addi    r10, r8, ROW
integer_element:
        imm     r4, 0                   ; r4: sum
        imm     r5, 0                   ; r5: k
        mov     r2, r8                  ; r2: element of ib
integer_product:
        ldxu64  r6, r1, r5
        ldu64   r7, r2
        mul     r6, r6, r7
        add     r4, r4, r6
        addi    r2, r2, ROW
        addi    r5, r5, 1
        blti_u  r5, N, integer_product
        st64    r3, r4
        addi    r3, r3, 8
        addi    r8, r8, 8
        blt_u   r8, r10, integer_element
        addi    r1, r1, ROW
        blt_u   r1, r9, integer_row
        ret

; a[i, j] := i + j, b[i, j] := i - j, ia[i, j] := 3 i + j, ib[i, j] := i - 7 j
fill:
        imm     r1, 0                   ; r1: i
        imm     r3, a
        imm     r4, b
        imm     r5, ia
        imm     r6, ib
fill_row:
        imm     r2, 0                   ; r2: j
fill_element:
        add     r7, r1, r2
        cvt_f64_s64 r7, r7
        st64    r3, r7
        sub     r7, r1, r2
        cvt_f64_s64 r7, r7
        st64    r4, r7
        sh1add  r7, r1, r1
        add     r7, r7, r2
        st64    r5, r7
        muli    r7, r2, -7
        add     r7, r7, r1
        st64    r6, r7
        addi    r3, r3, 8
        addi    r4, r4, 8
        addi    r5, r5, 8
        addi    r6, r6, 8
        addi    r2, r2, 1
        blti_u  r2, N, fill_element
        addi    r1, r1, 1
        blti_u  r1, N, fill_row
        ret

.bss
a:      .zero   (* N ROW)
ia:     .zero   (* N ROW)
b:      .zero   (* N ROW)
c:      .zero   (* N ROW)
ib:     .zero   (* N ROW)
ic:     .zero   (* N ROW)

.include "result.s"
