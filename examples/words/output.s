; output.s: text and numbers to the standard output, a piece at a time. A member of libtext.a.

(use asm/library/structured)
(use words/bytes)

.equ PIECE, 4096
.global put_byte, put_bytes, put_number, flush_output

.data
used:   .quad   0

.bss
piece:  .zero   PIECE
digits: .zero   32

.text
($procedure "put_byte" (byte) (at place)
  ($set at (address "used"))
  (ldu64 place at)
  ($if (place = 'PIECE)
       ($begin ($call "flush_output")
               ($set place 0)))
  (addi place place 1)
  (st64 at place)
  (addi place place (- (address "piece") 1))
  (st8 place byte))

($procedure "put_bytes" (from length) (end byte)
  (add end from length)
  ($ (for-bytes byte from end
       (list (list 'mov (+ $window 1) byte)
             (list 'call $window "put_byte")))))

; put_number (number, width): in decimal, with blanks before it
($procedure "put_number" (number width) (place digit end ten)
  ($set ten 10)
  ($set end (+ (address "digits") 32))
  ($set place end)
  "another"
  (rem_u digit number ten)
  (div_u number number ten)
  (addi digit digit #\0)
  (addi place place -1)
  (st8 place digit)
  (bnei number 0 "another")
  (sub digit end place)
  ($while (digit < width)
    ($call "put_byte" #\space)
    (addi width width -1))
  ($call "put_bytes" place digit))

($procedure "flush_output" () (at length)
  ($set at (address "used"))
  (ldu64 length at)
  (st64 at r0)
  ($host "write" 1 (address "piece") length))
