; stack.s: pushes as many numbers as one likes onto a stack in memory that has no page at first.
;
; Shows: a handler of traps, which maps the page that a push missed, and has the push tried again.
;
;     build/comet-vm run examples/stack.s                 100000 numbers, 13 pages
;     build/comet-vm run examples/stack.s 5000000         more than the handler allows: the trap stays one
;
; At the prompt: load "examples/stack.s", catch trap, run. It stops at each push that misses its page, before the
; handler gets it; `continue` calls that.

ON_TRAP = 6
WRITE = 4                               ; the trap
TOP = 0x10000000
LOWEST = (- TOP (* 256 65536))          ; 256 pages, 16 MiB
TRY_AGAIN = 1

.text
_start:
        imm     r11, 1
        imm     r12, 100000
        call    r10, argument_number
        mov     r1, r11                 ; how many
        imm     r11, ON_TRAP
        imm     r12, WRITE
        imm     r13, grow
        hcall   r10, on

        imm     r2, TOP                 ; r2: the stack pointer
        imm     r3, 0
push:
        bge_u   r3, r1, pushed
        addi    r3, r3, 1
        addi    r2, r2, -8
        st64    r2, r3
        jump    push
pushed:
        imm     r4, 0                   ; the sum of all
        imm     r5, TOP
pop:
        beq     r2, r5, popped
        ldu64   r6, r2
        add     r4, r4, r6
        addi    r2, r2, 8
        jump    pop
popped:
        mov     r11, r4
        call    r10, put_number
        imm     r11, '\n'
        call    r10, put_byte
        call    r10, flush_output
        ret

; kind, trap, address, argument, pc
grow:
        imm     r1, LOWEST
        blt_u   r3, r1, refuse
        andi    r11, r3, -65536
        imm     r12, 65536
        hcall   r10, map
        bnei    r11, 0, refuse
        imm     r1, TRY_AGAIN
        ret
refuse:
        imm     r1, 0
        ret

(include "lib/arguments.scm")
(include "lib/output.scm")
