; hello.s: the smallest program that says something.
;
; Shows: sections, a computed operand, a host call, the end of a program.
;
;     build/comet-vm run examples/hello.s
;     build/comet-vm asm examples/hello.s -o hello.img && build/comet-vm-no-scheme hello.img
;
; A program reaches the outside through host calls alone. `hcall r10, write` is like a call of the host
; with a window at r10: arguments in r11, r12, r13, and the result in r11.

.text
_start:
        imm     r11, 1                  ; stream 1 is standard output
        imm     r12, greeting
        imm     r13, (- (address "greeting_end") (address "greeting"))
        hcall   r10, write

        imm     r11, 0                  ; the exit status
        hcall   r10, exit

.rodata
greeting:
        .ascii  "Hello, world!\n"
greeting_end:
