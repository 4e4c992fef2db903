; Data of many shapes, each with a view that the image brings along.
        (view "node" '(record (value s32) (name (pointer string) 8) (next (pointer node) 16)))
        (view "list" '(list next node))
        (view "head" '(pointer list))
        (view "colour" '(enum u8 (red 0) (green 1) (blue 2)))
        (view "shape" '(record (kind (enum u8 (circle 1) (square 2)))
                               (count u8)
                               (as (union kind (circle (record (radius u16) (area f32)))
                                               (square (array count u8))))))
        (view "circle" 'shape)
        (view "square" 'shape)
        (view "status" '(bits u16 (ready 1) (mode 3 (off 0) (on 5)) (_ 4) (count 8)))
        (view "packet" '(big (record (version u8) (length u16) (text (string 4)) (sum u32))))
        (view "message" '(string u8))
        (view "grid" '(array 3 (array 2 s16)))
        (view "ring" '(list next (record (value u64) (next (pointer ring)))))

_start: imm     r5, second
        imm     r6, 0x0b0b
        addi    r7, r7, 1
        halt

        .data
list:   .word   10, 0
        .quad   one, second
second: .word   -20, 0
        .quad   two, third
third:  .word   30, 0
        .quad   0, 0
one:    .asciz  "one"
two:    .asciz  "two"
head:   .quad   list
circle: .byte   1, 0
        .half   7
        .f32    1.5
square: .byte   2, 3, 4, 5, 6, 0, 0, 0
status: .half   0x030b
packet: .byte   1, 1, 2, 'a', 'b', 0, 0, 0, 0, 1, 0
message: .byte  5
        .ascii  "hello, world"
grid:   .half   1, 2, 3, -4, 5, 6
colours: .byte  0, 1, 2, 7
ring:   .quad   1, ring2
ring2:  .quad   2, ring
lost:   .quad   0xdead0000
