; fib.s: Fibonacci numbers by plain recursion.
;
; Shows: register windows. Each activation has registers of its own, so nothing is saved or restored, and
; there is no stack in memory: a call moves the window up, `ret` moves it back.
;
;     build/comet-vm run examples/fib.s             prints the 25th Fibonacci number
;     build/comet-vm run examples/fib.s 30          prints the 30th

.text
_start:
        imm     r11, 1
        imm     r12, 25
        call    r10, argument_number    ; r11: which one
        call    r10, fib                ; it is where fib expects it, and so is the result for put_number
        call    r10, put_number
        imm     r11, '\n'
        call    r10, put_byte
        call    r10, flush_output
        ret

; fib (n) -> the nth Fibonacci number
;
; `call r2, fib` lays the callee's r0 on our r2: our r3 is its r1, argument and result alike. Its other
; registers lie above ours, and it may use them as it likes. What is to survive the second call must be
; below that one's window: r3 is, as it begins at r4.
fib:
        blti_u  r1, 2, fib_done         ; fib (0) = 0, fib (1) = 1
        addi    r3, r1, -1
        call    r2, fib                 ; r3: fib (n - 1)
        addi    r5, r1, -2
        call    r4, fib                 ; r5: fib (n - 2)
        add     r1, r3, r5
fib_done:
        ret

(include "lib/arguments.scm")
(include "lib/output.scm")
