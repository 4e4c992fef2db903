;;; lib/output.scm: text on standard output, collected in a buffer.
;;;
;;; The value of this file is assembly code. To be included at the end of a program in assembly language:
;;;
;;;     (include "lib/output.scm")
;;;
;;; Arguments are in r1, r2, ... as a procedure sees them, that is r11, r12, ... of a caller that says
;;; `call r10, put_number`. None has a result. Only flush_output makes a host call, so a program calls it
;;; before it ends.
;;;
;;;     put_byte (byte)
;;;     put_text (address, length)
;;;     put_string (address)                  up to the byte 0 that ends it
;;;     put_number (number)                   unsigned, in decimal
;;;     put_column (number, width)            the same, with spaces in front up to width
;;;     flush_output ()                       writes what was collected
;;;     write_all (stream, address, length)   unbuffered; ends the program with status 1 when it cannot
;;;     fail (address, length)                writes the text to standard error, ends with status 2

`((.equ output_size 4096)

  (.text)
  put_byte:
  (imm r2 output_used)
  (ldu64 r3 r2)
  (imm r4 output_buffer)
  (stx8 r4 r3 r1)
  (addi r3 r3 1)
  (st64 r2 r3)
  (beqi r3 output_size flush_output)    ; a jump goes on in the same activation: its ret is ours
  (ret)

  put_text:
  (add r2 r1 r2)                        ; r2: the end
  put_text_next:
  (beq r1 r2 put_text_done)
  (ldu8 r11 r1)
  (call r10 put_byte)
  (addi r1 r1 1)
  (jump put_text_next)
  put_text_done:
  (ret)

  put_string:
  (ldu8 r11 r1)
  (beqi r11 0 put_string_done)
  (call r10 put_byte)
  (addi r1 r1 1)
  (jump put_string)
  put_string_done:
  (ret)

  ;; The digits in front of the last one are a number of their own.
  put_number:
  (imm r2 10)
  (blt_u r1 r2 put_number_last)
  (div_u r11 r1 r2)
  (call r10 put_number)
  (rem_u r1 r1 r2)
  put_number_last:
  (addi r1 r1 #\0)
  (tail put_byte)                       ; put_byte takes our place, and our r1

  put_column:
  (imm r3 10)
  (mov r4 r1)
  put_column_digit:                     ; r2: the width that is left when each digit has had its place
  (addi r2 r2 -1)
  (div_u r4 r4 r3)
  (bnei r4 0 put_column_digit)
  put_column_space:
  (blti_s r2 1 put_number)              ; r1 is still the number
  (imm r11 #\space)
  (call r10 put_byte)
  (addi r2 r2 -1)
  (jump put_column_space)

  flush_output:
  (imm r4 output_used)
  (imm r1 1)
  (imm r2 output_buffer)
  (ldu64 r3 r4)
  (st64 r4 r0)
  (tail write_all)

  ;; A stream may take fewer bytes than it was offered, so the rest is offered again.
  write_all:
  (beqi r3 0 write_all_done)
  (mov r11 r1)
  (mov r12 r2)
  (mov r13 r3)
  (hcall r10 write)                     ; r11: how many bytes it took
  (blti_s r11 1 write_all_failed)
  (add r2 r2 r11)
  (sub r3 r3 r11)
  (jump write_all)
  write_all_done:
  (ret)
  write_all_failed:
  (imm r11 1)
  (hcall r10 exit)

  fail:
  (imm r11 2)
  (mov r12 r1)
  (mov r13 r2)
  (call r10 write_all)
  (imm r11 2)
  (hcall r10 exit)

  (.bss)
  (.align 8)
  output_used:                          ; how many bytes of the buffer are taken
  (.zero 8)
  output_buffer:
  (.zero output_size))
