; Instructions of its own of every sort, for the fuzzer to begin from.
        (define-instruction (element (to d) (base s) (index s))
          "R[a] := M64[R[b] + 8 * R[c]]"
          (shli to index 3)
          (add to base to)
          (ldu64 to to))
        (define-instruction (step-down (count x) (by i 1 8) (to p)) (sub r9 r0 r0) (addi r9 r9 by) (sub count count r9) (bne count r0 to))
        (define-instruction (two-stores (base s) (first s) (second s)) (st64 base first) (st64 base second 8))
        (define-instruction (ask (base w) (what h)) (hcall base what))
        (define-instruction (call-with (base w) (n u) (to p)) (imm r21 n) (call base to))

_start: imm     r6, table
        imm     r7, 3
again:  element r5, r6, r7
        add     r8, r8, r5
        two-stores r6, r5, r8
        step-down r7, 1, again
        call-with r20, 5, double
        imm     r11, 0
        ask     r10, exit
double: add     r1, r1, r1
        ret
        .data
table:  .quad   10, 20, 30, 40
