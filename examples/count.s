; count.s: counts to a billion, and does nothing else. Something to interrupt.
;
; Shows: the tightest loop there is, two instructions, the second one compares and branches.
;
;     build/comet-vm run examples/count.s           counts to a billion, then prints where it got to
;     build/comet-vm run examples/count.s 1000      counts to 1000
;
; At the prompt of comet-vm: load "examples/count.s", run, press Ctrl-C. The machine stops between two
; instructions; `registers` shows how far r1 has come, `step` goes on by one, `continue` by the rest.

.text
_start:
        imm     r11, 1
        imm     r12, 1000000000
        call    r10, argument_number
        mov     r2, r11                 ; r2: where to stop
        imm     r1, 0                   ; r1: the count

        beqi    r2, 0, counted
count:
        addi    r1, r1, 1
        bne     r1, r2, count

counted:
        mov     r11, r1
        call    r10, put_number
        imm     r11, '\n'
        call    r10, put_byte
        call    r10, flush_output
        ret                             ; from the outermost activation: the program ends with status 0

(include "lib/arguments.scm")
(include "lib/output.scm")
