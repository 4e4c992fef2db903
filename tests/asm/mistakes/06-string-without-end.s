        .data
text:   .ascii  "hello
        .byte   0
