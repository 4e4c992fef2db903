; queens.s: in how many ways can eight queens stand on a chess board so that none attacks another?
;
; Shows: recursion whose state is all in registers, sets as bits of a word, a thread register, and a
; procedure that queens-test.scm calls from Scheme, with registers of its choice.
;
;     build/comet-vm run examples/queens.s          the number of solutions on a board of 8, and the first
;     build/comet-vm run examples/queens.s 10       on a board of 10

(define largest 16)                     ; the largest board

.text
_start:
        imm     r11, 1
        imm     r12, 8
        call    r10, argument_number
        mov     r1, r11                 ; r1: the size of the board
        addi    r2, r1, -1
        bgei_u  r2, largest, bad_size   ; 0 has become the largest number

        mov     r11, r1
        call    r10, all_solutions
        mov     r2, r11                 ; r2: the number of solutions

        imm     r11, queens_text
        call    r10, put_string
        mov     r11, r1
        call    r10, put_number
        imm     r11, solutions_text
        call    r10, put_string
        mov     r11, r2
        call    r10, put_number
        imm     r11, '\n'
        call    r10, put_byte

        beqi    r2, 0, nothing_to_show
        mov     r11, r1
        call    r10, put_first_board
nothing_to_show:
        call    r10, flush_output
        ret

bad_size:
        imm     r11, size_complaint
        imm     r12, (- (address "size_complaint_end") (address "size_complaint"))
        call    r10, fail

; all_solutions (size) -> the number of solutions
;
; t1 holds the set of all columns while the search goes on. A thread register is for what every activation
; wants to see and none changes: it need not be handed on.
all_solutions:
        imm     r2, first_board_known
        st8     r2, r0
        imm     r2, 1
        shl     r2, r2, r1
        addi    r2, r2, -1              ; one bit for each column
        tset    t1, r2
        imm     r1, 0
        imm     r2, 0
        imm     r3, 0
        imm     r4, 0
        tail    place

; place (row, columns, left, right) -> the number of ways to fill this row and those below
;
; Each of the three sets has a bit for every column that a queen above attacks: straight down, and along
; the two diagonals, which move by a column from row to row.
place:
        tget    r5, t1
        beq     r2, r5, all_placed      ; a queen in every column, and so in every row

        or      r6, r2, r3
        or      r6, r6, r4
        not     r6, r6
        and     r6, r6, r5              ; r6: the places of this row that nobody attacks
        imm     r7, 0                   ; r7: the solutions so far
        imm     r8, board
next_place:
        beqi    r6, 0, row_done
        neg     r9, r6
        and     r9, r9, r6              ; r9: the leftmost of them, the lowest bit
        xor     r6, r6, r9
        stx32   r8, r1, r9

        addi    r11, r1, 1
        or      r12, r2, r9
        or      r13, r3, r9
        shri_u  r13, r13, 1
        or      r14, r4, r9
        shli    r14, r14, 1
        call    r10, place
        add     r7, r7, r11
        jump    next_place
row_done:
        mov     r1, r7
        ret

all_placed:
        imm     r2, first_board_known
        ldu8    r3, r2
        bnei    r3, 0, one_solution
        imm     r3, 1
        st8     r2, r3
        imm     r2, first_board
        imm     r3, board
        shli    r4, r1, 2               ; r1 rows of four bytes
        bcopy   r2, r3, r4
one_solution:
        imm     r1, 1
        ret

; put_first_board (size)
put_first_board:
        imm     r2, first_board
        imm     r3, 0                   ; r3: the row
next_row:
        ldxu32  r4, r2, r3
        ctz     r4, r4                  ; r4: the queen's column
        imm     r5, 0                   ; r5: the column
next_column:
        eq      r6, r5, r4
        imm     r7, places_text
        ldxu8   r11, r7, r6
        call    r10, put_byte
        addi    r5, r5, 1
        eq      r6, r5, r1              ; a space between places, the end of the line behind the last
        imm     r7, separators_text
        ldxu8   r11, r7, r6
        call    r10, put_byte
        bne     r5, r1, next_column
        addi    r3, r3, 1
        bne     r3, r1, next_row
        ret

.rodata
queens_text:
        .asciz  "queens: "
solutions_text:
        .asciz  ", solutions: "
places_text:
        .ascii  ".Q"
separators_text:
        .ascii  " \n"
size_complaint:
        .ascii  "queens: the board's size should be from 1 to 16\n"
size_complaint_end:

.bss
.align 4
board:                                  ; for each row one bit, the queen's column
        .zero   (* 4 largest)
first_board:
        .zero   (* 4 largest)
first_board_known:
        .zero   1

; What the debugger shows at these labels: print board
(view "board" `(array ,largest (binary u32)))
(view "first_board" 'board)
(view "first_board_known" 'bool)

(include "lib/arguments.scm")
(include "lib/output.scm")
