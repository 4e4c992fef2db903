; producer.s: two threads and a box between them: one puts numbers in, the other takes them out and prints them.
;
; Shows: threads, waiting for a word of memory to change, joining.
;
;     build/comet-vm run examples/producer.s
;     build/comet-vm run --turns 7 examples/producer.s      other turns, the same lines
;
; At the prompt: load "examples/producer.s", break take, run, info threads, thread 1, step.
;
; A thread that finds the box as it does not want it says so to `wait64`, with what it saw: should that have
; changed meanwhile, the call comes back at once, so no notice can be missed.

.text
_start:
        imm     r11, produce
        imm     r12, 9                  ; how many
        hcall   r10, spawn
        mov     r1, r11                 ; r1: the number of the thread
        imm     r2, box
take:
        imm     r11, box
        imm     r12, 0                  ; while it is empty
        imm     r13, -1                 ; for any time
        aldu64  r3, r11
        bnei    r3, 0, full
        hcall   r10, wait64
        jump    take
full:
        ldu64   r4, r2, 8
        ast64   r2, r0                  ; empty again
        imm     r12, 1
        hcall   r10, notify
        beqi    r4, 0, end
        mov     r11, r4
        call    r10, put_number
        imm     r11, '\n'
        call    r10, put_byte
        jump    take
end:
        mov     r11, r1
        hcall   r10, join               ; r11: what `produce` returned
        call    r10, put_number
        imm     r11, '\n'
        call    r10, put_byte
        call    r10, flush_output
        ret

; The numbers 1 to r1, and a 0 at last. Returns their sum.
produce:
        imm     r2, box
        mov     r3, r1                  ; what is left
        mov     r5, r1
        imm     r1, 0
put:
        imm     r11, box
        imm     r12, 1                  ; while it is full
        imm     r13, -1
        aldu64  r4, r11
        beqi    r4, 0, empty
        hcall   r10, wait64
        jump    put
empty:
        sub     r6, r5, r3
        addi    r6, r6, 1
        bnei    r3, 0, number
        imm     r6, 0                   ; no more
number:
        add     r1, r1, r6
        st64    r2, r6, 8
        imm     r4, 1
        ast64   r2, r4
        imm     r12, 1
        hcall   r10, notify
        beqi    r3, 0, done
        addi    r3, r3, -1
        jump    put
done:
        ret

.data
.align 8
box:    .quad   0                       ; whether it is full
        .quad   0                       ; what is in it

.text
(include "lib/output.scm")
