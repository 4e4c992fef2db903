; A bit of everything, for fuzz.scm to spoil; no loops in Scheme, which would not end when spoilt.
.equ    size, 64
_start: imm     r11, size
        fimm    r2, -1.5e3
loop:   addi    r3, r3, -1
        bnei    r3, 'x', loop
        hcall   r10, write
        tget    r1, t3
        ldu64   r1, r2
        (define (twice instruction) (list instruction instruction))
        (define-macro (thrice form) `(list ,form ,form ,form))
        (twice (list mov r1 r2))
        (thrice (list 'and r1 r2 r3))
        (list (label "inner") (list jump (address "end")) '(.align 4))
        (map (lambda (i) (list addi r1 r1 i)) '(1 2 3))
        imm     r1, (- (address "end") (here))
.section .tables "r"
        .word   1, -1, 0xff, 0b11, 0o7
        .f64    0.1
        .asciz  "text\n\x41", "\101"
        .align  8
        (delay-address (here) 8)
        (random-integer 100)
.text
count = 2
.if (> count 1)
1:      jump    1b
.elseif count
.Lhere: jump    .Lhere
.else
.error "none"
.endif
.ifndef nothing
.rept count
.irp x, r1, 2, end
        .warning "not yet"
        (with-labels (a) (list (label a) x))
.endr
.endr
.endif
.assert (< count 3), "count"
.org (+ (here) 4)
.bss
buffer: .zero   size
end:
