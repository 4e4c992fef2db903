; calculator.s: reads expressions, a line each, and prints their values.
;
; Shows: a program in the structured language that asm/library/structured makes of Scheme macros, side by side with
; plain instructions; recursive descent; procedures with two results; a frame in memory; a string table.
;
;     echo '(1 + 2) * -3' | build/comet-vm run examples/calculator.s
;
; Numbers are whole and have 64 bits; there are + - * / % (the latter two round towards zero, as in C),
; a minus sign, and parentheses.

(use asm/library/structured)
(use asm/library/tables)

(define line-size 256)                  ; a line's bytes, with the 0 that ends it

; What can be wrong with a line: indices into the table `errors`. A procedure of the parser gets the address
; of what is still to be read. Its results are the address behind what it has read and the value of that,
; or else 0 and an error.
(define error-operand  0)
(define error-bracket  1)
(define error-division 2)
(define error-rest     3)
(define error-length   4)

.rodata
($string-table "errors"
  "a number or ( is expected"
  ") is missing"
  "division by zero"
  "an operator is expected"
  "the line is too long")

.text
($procedure "_start" () (length)
  ($use-stack (address "stack_end"))
  ($frame (line line-size)
    ($set length ($call "read_line" line))
    ($while (length >= 0)
      ($if (length != 0)
           ($call "answer" line length))
      ($call "flush_output")
      ($set length ($call "read_line" line)))))

; read_line (address) -> the line's length, -1 at the end of input; of a line that is too long, the beginning
; is stored
($procedure "read_line" (line) (length byte)
  ($set length 0)
  ($set byte ($call "read_byte"))
  ($if (byte < 0)
       ($return -1))
  ($while (and (byte >= 0) (byte != #\newline))
    ($if (length < (- line-size 1))
         (stx8 line length byte))
    (addi length length 1)
    ($set byte ($call "read_byte")))
  ($if (length < 'line-size)
       (stx8 line length r0))
  ($return length))

; read_byte () -> the next byte of standard input, -1 at its end
($procedure "read_byte" () (count byte)
  ($frame (place 1)
    ($set count ($host "read" 0 place 1))
    ($if (count != 1)
         ($return -1))
    (ldu8 byte place)
    ($return byte)))

($procedure "answer" (line length) (cursor value byte)
  ($if (length >= 'line-size)
       ($begin ($set cursor 0)
               ($set value 'error-length))
       ($begin ($set (cursor value) ($call "sum" line))
               ($if (cursor != 0)
                    ($begin ($set (cursor byte) ($call "skip_blanks" cursor))
                            ($if (byte != 0)
                                 ($begin ($set cursor 0)
                                         ($set value 'error-rest)))))))
  ($if (cursor = 0)
       ($call "put_error" value)
       ($call "put_signed" value))
  ($call "put_byte" #\newline))

; ---- the parser: a sum consists of products, a product of factors -----------------------------------------

($procedure "sum" (cursor) (value operator operand)
  ($set (cursor value) ($call "product" cursor))
  ($while (cursor != 0)
    ($set (cursor operator) ($call "skip_blanks" cursor))
    ($if (and (operator != #\+) (operator != #\-))
         ($return cursor value))
    (addi cursor cursor 1)
    ($set (cursor operand) ($call "product" cursor))
    ($if (cursor = 0)
         ($return cursor operand))
    ($if (operator = #\+)
         (add value value operand)
         (sub value value operand)))
  ($return cursor value))

($procedure "product" (cursor) (value operator operand)
  ($set (cursor value) ($call "factor" cursor))
  ($while (cursor != 0)
    ($set (cursor operator) ($call "skip_blanks" cursor))
    ($if (and (operator != #\*) (operator != #\/) (operator != #\%))
         ($return cursor value))
    (addi cursor cursor 1)
    ($set (cursor operand) ($call "factor" cursor))
    ($if (cursor = 0)
         ($return cursor operand))
    ($if (operator = #\*)
         (mul value value operand)
         ($begin
           ($if (operand = 0)
                ($return 0 'error-division))
           ; The forms of division that are defined for every operand: the smallest number divided by -1
           ; is too large for a register, and shall not stop the calculator.
           ($if (operator = #\/)
                (divd_s value value operand)
                (remd_s value value operand)))))
  ($return cursor value))

($procedure "factor" (cursor) (value byte)
  ($set (cursor byte) ($call "skip_blanks" cursor))
  ($if (byte = #\-)
       ($begin (addi cursor cursor 1)
               ($set (cursor value) ($call "factor" cursor))
               ($if (cursor != 0)
                    (neg value value))
               ($return cursor value)))
  ($if (byte = #\()
       ($begin (addi cursor cursor 1)
               ($set (cursor value) ($call "sum" cursor))
               ($if (cursor = 0)
                    ($return cursor value))
               ($set (cursor byte) ($call "skip_blanks" cursor))
               ($if (byte != #\))
                    ($return 0 'error-bracket))
               (addi cursor cursor 1)
               ($return cursor value)))
  ($if (or (byte < #\0) (byte > #\9))
       ($return 0 'error-operand))
  ($set value 0)
  ($while (and (byte >= #\0) (byte <= #\9))
    (muli value value 10)
    (add value value byte)
    (addi value value (- (char->integer #\0)))
    (addi cursor cursor 1)
    (ldu8 byte cursor))
  ($return cursor value))

; skip_blanks (cursor) -> the address of the first byte that is not a blank, and that byte
($procedure "skip_blanks" (cursor) (byte)
  (ldu8 byte cursor)
  ($while (or (byte = #\space) (byte = #\tab))
    (addi cursor cursor 1)
    (ldu8 byte cursor))
  ($return cursor byte))

; ---- output ---------------------------------------------------------------------------------------------

($procedure "put_signed" (value) ()
  ($if (value < 0)
       ($begin ($call "put_byte" #\-)
               (neg value value)))
  ($call "put_number" value))

($procedure "put_error" (number) (table)
  ($call "put_string" ($text "error: "))
  ($set table (address "errors"))
  (ldxu64 table table number)
  ($call "put_string" table))

.rodata
($texts)

.bss
.align 8
stack:
        .zero   4096
stack_end:

(include "lib/output.scm")
