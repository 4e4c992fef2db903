; ticks.s: a clock that ticks five times, ten times a second, and sleeps in between.
;
; Shows: a timer, a handler that it calls, waiting for events. A program that wants to know the time has to be
; allowed to.
;
;     build/comet-vm run --allow clock examples/ticks.s
;     build/comet-vm run --allow clock --record ticks.replay examples/ticks.s
;     build/comet-vm debug --replay ticks.replay            ticks where it ticked then, without any time

ON_TIMER = 1

.text
_start:
        imm     r11, ON_TIMER
        imm     r12, 1                  ; the timer's number, any that one likes
        imm     r13, tick
        imm     r14, count              ; goes along as the handler's argument
        hcall   r10, on
        imm     r11, 1
        imm     r12, 100000000          ; nanoseconds until the first tick
        imm     r13, 100000000          ; and between two of them
        hcall   r10, timer
        imm     r2, count
sleep:
        hcall   r10, pause              ; until a handler was called
        ldu64   r3, r2
        blti_u  r3, 5, sleep
        call    r10, flush_output
        ret

; kind, timer, value, argument. All registers of the interrupted code are safe: the window begins behind them.
tick:
        ldu64   r5, r4
        addi    r5, r5, 1
        st64    r4, r5
        imm     r11, text
        call    r10, put_string
        mov     r11, r5
        call    r10, put_number
        imm     r11, '\n'
        call    r10, put_byte
        ret

.data
.align 8
count:  .quad   0
text:   .asciz  "tick "

.text
(include "lib/output.scm")
