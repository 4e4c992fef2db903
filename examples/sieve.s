; sieve.s: the primes below 1000, by the sieve of Eratosthenes.
;
; Shows: bytes in memory, loads and stores indexed by a register, branches that compare, nested loops.
;
;     build/comet-vm run examples/sieve.s

.equ LIMIT, 1000
.equ PRIMES_A_LINE, 12

.text
_start:
        imm     r1, crossed_out         ; r1: a byte a number, not 0 when the number has a divisor
        imm     r2, 2                   ; r2: the number that is looked at
        imm     r3, LIMIT
        imm     r4, 0                   ; r4: primes on this line

next_number:
        ldxu8   r5, r1, r2
        bnei    r5, 0, not_a_prime      ; nobody crossed it out: it is a prime

        mov     r11, r2
        imm     r12, 5
        call    r10, put_column
        addi    r4, r4, 1
        bnei    r4, PRIMES_A_LINE, line_goes_on
        call    r10, end_line
        imm     r4, 0
line_goes_on:

        ; Multiples below the square have a smaller divisor too, and are crossed out already.
        imm     r5, 1
        mul     r6, r2, r2
next_multiple:
        bge_u   r6, r3, not_a_prime
        stx8    r1, r6, r5
        add     r6, r6, r2
        jump    next_multiple

not_a_prime:
        addi    r2, r2, 1
        blt_u   r2, r3, next_number

        beqi    r4, 0, finished         ; the last line may be full, or not
        call    r10, end_line
finished:
        call    r10, flush_output
        ret

end_line:
        imm     r1, '\n'
        tail    put_byte

.bss
crossed_out:
        .zero   LIMIT

(include "lib/output.scm")
