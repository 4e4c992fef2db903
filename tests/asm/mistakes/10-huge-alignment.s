        .data
        .byte   1
        .align  0x100000000
