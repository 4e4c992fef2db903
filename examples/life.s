; life.s: Conway's game of life, on a board whose opposite edges are joined.
;
; Shows: a row of 64 cells as one register, and all of them computed at once; reading keys; drawing with
; the escape sequences that terminals know.
;
;     build/comet-vm run examples/life.s
;
;     h j k l   move the cursor left, down, up, right
;     x         give the cell under the cursor life, or take it away
;     g         put a glider there
;     s         compute a generation
;     c         clear the board
;     q         quit
;
; A number in front of h, j, k, l and s says how often: `g100s` sends a glider on its way, and `20l5jx`
; goes 20 to the right and 5 down and brings a cell to life. A terminal hands keys over when Enter is
; pressed. Who wants them to act at once says `stty -icanon -echo` before and `stty sane` afterwards. Keys
; may come from a pipe as well:
;
;     printf 'g100sq' | build/comet-vm run examples/life.s

(define rows 20)
(define columns 64)                     ; the bits of a register; column 0 is the lowest one
(define keys-size 256)

; ---- reading keys, and what they do --------------------------------------------------------------------

(define %cursor_x   r1)
(define %cursor_y   r2)
(define %generation r3)
(define %count      r4)                 ; the number in front of a key, 0 when there is none
(define %next_key   r5)                 ; where the keys begin and end that were read and not yet obeyed
(define %end_keys   r6)
(define %key        r7)
(define %scratch    r8)

; Moves registers to where a call with a window at r10 has its arguments.
(define (pass-on . registers)
  (map (lambda (register argument) (list mov argument register))
       registers
       (iota (length registers) r11)))

.text
_start:
        imm     %cursor_x, (quotient columns 2)
        imm     %cursor_y, (quotient rows 2)
        imm     %generation, 0
        imm     %count, 0
        imm     r11, clear_screen
        call    r10, put_string

more_keys:
        (pass-on %cursor_x %cursor_y %generation)
        call    r10, draw
        imm     r11, 0
        imm     r12, keys
        imm     r13, keys-size
        hcall   r10, read               ; r11: how many keys, 0 at the end, negative on an error
        blti_s  r11, 1, quit
        imm     %next_key, keys
        add     %end_keys, %next_key, r11

next_key:
        beq     %next_key, %end_keys, more_keys
        ldu8    %key, %next_key
        addi    %next_key, %next_key, 1

        addi    %scratch, %key, (- (char->integer #\0))
        bgei_u  %scratch, 10, command
        muli    %count, %count, 10
        add     %count, %count, %scratch
        imm     %scratch, 10000
        min_u   %count, %count, %scratch
        jump    next_key

command:
        imm     %scratch, 1
        max_u   %count, %count, %scratch
        beqi    %key, 'h', move_left
        beqi    %key, 'j', move_down
        beqi    %key, 'k', move_up
        beqi    %key, 'l', move_right
        beqi    %key, 'x', toggle
        beqi    %key, 'g', add_glider
        beqi    %key, 's', compute
        beqi    %key, 'c', clear
        beqi    %key, 'q', quit
        jump    obeyed                  ; others, such as the end of a line, do nothing

move_left:
        neg     %count, %count
move_right:
        add     %cursor_x, %cursor_x, %count
        andi    %cursor_x, %cursor_x, (- columns 1)
        jump    obeyed

move_up:
        neg     %count, %count
move_down:
        add     %cursor_y, %cursor_y, %count
        imm     %scratch, rows
        rem_s   %cursor_y, %cursor_y, %scratch
        bgei_s  %cursor_y, 0, obeyed    ; the remainder has the sign of what was divided
        add     %cursor_y, %cursor_y, %scratch
        jump    obeyed

toggle:
        (pass-on %cursor_x %cursor_y)
        call    r10, toggle_cell
        jump    obeyed

add_glider:
        (pass-on %cursor_x %cursor_y)
        call    r10, put_glider
        jump    obeyed

clear:
        imm     %generation, 0
        imm     r11, board
        imm     r12, (* 8 rows)
        bfill   r11, r0, r12
        jump    obeyed

compute:
        call    r10, compute_generation
        addi    %generation, %generation, 1
        (pass-on %cursor_x %cursor_y %generation)
        call    r10, draw
        addi    %count, %count, -1
        bnei    %count, 0, compute

obeyed:
        imm     %count, 0
        jump    next_key

quit:
        (pass-on %cursor_x %cursor_y %generation)
        call    r10, draw               ; what the last keys did shall be seen
        ret

; ---- the rules -----------------------------------------------------------------------------------------

; Adds three rows cell by cell, each cell being 0 or 1: `ones` and `twos` become the two binary digits of
; the sums. They must be other registers than the rows.
(define (add-three-rows ones twos a b c)
  (list (list xor ones a b)
        (list 'and twos ones c)
        (list xor ones ones c)
        (list 'and r20 a b)
        (list 'or twos twos r20)))

; new_row (the row above, this row, the row below) -> this row in the next generation
new_row:
        rotli   r4, r1, 1               ; each cell's left neighbour comes to its own place,
        rotli   r5, r1, (- columns 1)   ; and its right one
        (add-three-rows r6 r7 r1 r4 r5) ; r6, r7: ones and twos of the three above
        rotli   r4, r3, 1
        rotli   r5, r3, (- columns 1)
        (add-three-rows r8 r9 r3 r4 r5) ; r8, r9: of the three below
        rotli   r4, r2, 1
        rotli   r5, r2, (- columns 1)
        xor     r10, r4, r5             ; r10, r11: of the two beside
        and     r11, r4, r5
        (add-three-rows r12 r13 r6 r8 r10)      ; r12: the ones of all; r13: the twos that they carry

; With two or three neighbours there is exactly one two among these four, with fewer there is none, with
; more there are two or more. Exactly one: an odd number of them, and no pair.
        xor     r4, r7, r9
        xor     r4, r4, r11
        xor     r4, r4, r13
        and     r5, r7, r9
        and     r6, r11, r13
        or      r5, r5, r6
        not     r5, r5
        and     r4, r4, r5
        or      r1, r12, r2             ; three neighbours give life, two keep it
        and     r1, r1, r4
        ret

compute_generation:
        imm     r1, board               ; r1: where the row is
        imm     r2, (+ (address "board") (* 8 rows))
        ldu64   r11, r1, (* 8 (- rows 1))       ; r11: the row above the first one, which is the last
        ldu64   r4, r1                  ; r4: the first row, which is below the last one
        st64    r2, r4
        mov     r12, r4
next_row:
        ldu64   r13, r1, 8
        mov     r5, r12                 ; r5, r6: this row and the one below, as they are now
        mov     r6, r13
        call    r10, new_row
        st64    r1, r11
        mov     r11, r5
        mov     r12, r6
        addi    r1, r1, 8
        bne     r1, r2, next_row
        ret

; toggle_cell (x, y)
toggle_cell:
        imm     r3, board
        imm     r4, 1
        shl     r4, r4, r1
        ldxu64  r5, r3, r2
        xor     r5, r5, r4
        stx64   r3, r2, r5
        ret

; put_glider (x, y): x and y are the place of its upper left corner
put_glider:
        imm     r3, board
        imm     r4, glider
        addi    r5, r4, 3
        imm     r6, rows
next_glider_row:
        ldu8    r7, r4
        rotl    r7, r7, r1
        ldxu64  r8, r3, r2
        or      r8, r8, r7
        stx64   r3, r2, r8
        addi    r2, r2, 1
        rem_u   r2, r2, r6
        addi    r4, r4, 1
        bne     r4, r5, next_glider_row
        ret

; ---- the picture ---------------------------------------------------------------------------------------

; draw (cursor's x, its y, generation)
draw:
        imm     r11, to_upper_left
        call    r10, put_string
        imm     r4, 0                   ; r4: the row
draw_row:
        imm     r5, board
        ldxu64  r5, r5, r4              ; r5: its cells from this column on
        imm     r6, 0                   ; r6: the column
draw_cell:
        eq      r7, r6, r1
        eq      r8, r4, r2
        and     r7, r7, r8              ; r7: 1 where the cursor is
        beqi    r7, 0, draw_character
        imm     r11, inverse
        call    r10, put_string
draw_character:
        andi    r8, r5, 1
        imm     r9, cell_characters
        ldxu8   r11, r9, r8
        call    r10, put_byte
        beqi    r7, 0, cell_drawn
        imm     r11, normal
        call    r10, put_string
cell_drawn:
        shri_u  r5, r5, 1
        addi    r6, r6, 1
        bnei    r6, columns, draw_cell
        imm     r11, '\n'
        call    r10, put_byte
        addi    r4, r4, 1
        bnei    r4, rows, draw_row

        imm     r11, generation_text
        call    r10, put_string
        mov     r11, r3
        call    r10, put_number
        imm     r11, rest_of_line
        call    r10, put_string
        tail    flush_output

.rodata
clear_screen:
        .asciz  "\033[2J"
to_upper_left:
        .asciz  "\033[H"
inverse:
        .asciz  "\033[7m"
normal:
        .asciz  "\033[0m"
cell_characters:
        .ascii  ".O"
generation_text:
        .asciz  "generation "
rest_of_line:                           ; cleared, and what was typed below it
        .asciz  "\033[J\n"
glider:                                 ; a row a byte, the leftmost cell being the lowest bit
        .byte   0b010 0b100 0b111

.bss
.align 8
board:                                  ; a row is eight bytes; one more than there are, for the first again
        .zero   (* 8 (+ rows 1))
keys:
        .zero   keys-size

(include "lib/output.scm")
