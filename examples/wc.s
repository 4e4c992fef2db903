; wc.s: counts the lines, words and bytes of standard input, and prints them as `wc` does for a pipe.
;
; Shows: reading a stream piece by piece, a table that Scheme computes, counting without branches.
;
;     cat README.md | build/comet-vm run examples/wc.s
;
; A word is what stands between white space. (For input that is a file, not a pipe, wc knows the size
; beforehand and makes its columns as narrow as that allows; a program of this machine cannot see that.)

.equ PIECE, 65536
.equ COLUMN, 7

.text
_start:
        imm     r1, 0                   ; r1: lines
        imm     r2, 0                   ; r2: words
        imm     r3, 0                   ; r3: bytes
        imm     r4, 1                   ; r4: 1 when the byte before was white space, as if one stood in front
        imm     r5, white_space

next_piece:
        imm     r11, 0                  ; stream 0 is standard input
        imm     r12, piece
        imm     r13, PIECE
        hcall   r10, read               ; r11: how many bytes came, 0 at the end, negative on an error
        blti_s  r11, 0, cannot_read
        beqi    r11, 0, end_of_input
        add     r3, r3, r11
        imm     r6, piece
        add     r7, r6, r11             ; r6, r7: what is left of the piece

next_byte:
        ldu8    r8, r6
        eqi     r9, r8, '\n'            ; a comparison gives 0 or 1, which is what there is to add
        add     r1, r1, r9
        ldxu8   r8, r5, r8
        lt_u    r9, r8, r4              ; white space before, none now: here a word begins
        add     r2, r2, r9
        mov     r4, r8
        addi    r6, r6, 1
        bne     r6, r7, next_byte
        jump    next_piece

end_of_input:
        mov     r11, r1
        call    r10, put_count
        mov     r11, r2
        call    r10, put_separated_count
        mov     r11, r3
        call    r10, put_separated_count
        imm     r11, '\n'
        call    r10, put_byte
        call    r10, flush_output
        ret

put_separated_count:
        imm     r11, ' '
        call    r10, put_byte
put_count:
        imm     r2, COLUMN
        tail    put_column

cannot_read:
        imm     r11, complaint
        imm     r12, (- (address "complaint_end") (address "complaint"))
        call    r10, fail

.rodata
complaint:
        .ascii  "wc: standard input cannot be read\n"
complaint_end:

white_space:                            ; for each byte 1 or 0
        (let ((table (make-u8vector 256 0)))
          (for-each (lambda (byte) (u8vector-set! table byte 1))
                    '(9 10 11 12 13 32)) ; tab, newline, vertical tab, form feed, return, space
          table)

.bss
piece:
        .zero   PIECE

(include "lib/output.scm")
