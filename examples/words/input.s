; input.s: the standard input, letter by letter. A member of libtext.a.

(use asm/library/structured)
(use asm/library/tables)

.equ PIECE, 4096
.global read_letter

.rodata
; The lower-case letter of each byte, 0 for what is no letter.
($table "letters" 1 256
  (lambda (byte)
    (cond ((<= 97 byte 122) byte)
          ((<= 65 byte 90) (+ byte 32))
          (else 0))))

.data
next:   .quad   0                       ; where in the piece
length: .quad   0                       ; of the piece

.bss
piece:  .zero   PIECE

.text
; read_letter () -> the next letter in lower case; 0 for any other byte, -1 at the end
($procedure "read_letter" () (at place end byte)
  ($set at (address "next"))
  (ldu64 place at)
  (ldu64 end at 8)
  ($if (place = end)
       ($begin
         ($set end ($host "read" 0 (address "piece") 'PIECE))
         ($if (end <= 0)
              ($return -1))
         (st64 at end 8)
         ($set place 0)))
  ($set byte (address "piece"))
  (ldxu8 byte byte place)
  (addi place place 1)
  (st64 at place)
  ($set at (address "letters"))
  (ldxu8 byte at byte)
  ($return byte))
