; How every program here ends: `mov r11, result`, `call r10, print_result`, `ret`. The result is printed as an
; unsigned number on a line of its own.
.text
print_result:
        mov     r11, r1
        call    r10, put_number
        imm     r11, '\n'
        call    r10, put_byte
        tail    flush_output

(include "../../../examples/lib/output.scm")
