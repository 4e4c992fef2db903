    _start:
    add r0,r2,r3

    ; this is a comment that extends to the end of the line

    ;;;
    ;;; This is also a comment but it stands out more.
    ;;;

    ;;; There are some familar assembler directives
    .align 8

    ; commas between fields are optional and hex formatted numbers are
    ; supported.
    imm r5 0x5555

    ; binary numbers are also useful. Let's me know if you think we 
    ; should add octal number support.
    imm r6, 0b101111

    ; like _start: above, we have "labels"
    another_label:
    multiple_labels_at_the_same_address_is_supported:
    add r19,r0,r0

    ; Like other assemblers, you can have different "sections" for
    ; code and data so that code and read-only data can be write
    ; protected or marked for no execution, etc.
    .data
    my_object:
    .byte 10 12 34

    ; But wait, there is more. You can embed scheme code!

    (define %tmp0 r1)
    (define %tmp1 r2)
    (define %tmp2 r3)
    (define %tmp3 r4)

    (define (clear-scratch-registers)
      (list (list mov %tmp0 r0)
            (list mov %tmp1 r0)
            (list mov %tmp2 r0)
            (list mov %tmp3 r0)))

    some_routine:
    (clear-scratch-registers)
    add %tmp1 r12 r19
    imm %tmp2 0xf0f0
    xor %tmp1 %tmp1 %tmp2
