;;; lib/arguments.scm: numbers from the command line. Needs lib/output.scm.
;;;
;;; The value of this file is assembly code, to be included at the end of a program.
;;;
;;;     argument_number (index, default) -> number
;;;         argument `index` in decimal, the first one behind the program's name having index 1, or the
;;;         default where there is none. What is not a number of up to 18 digits ends the program.

`((.equ argument_digits 18)             ; the most that surely fit in a register

  (.text)
  argument_number:
  (hcall r10 arg_count)                 ; r11: how many arguments there are
  (bge_u r1 r11 argument_missing)

  (mov r11 r1)
  (imm r12 argument_text)
  (imm r13 argument_digits)
  (hcall r10 arg)                       ; r11: the argument's length, even if it had to be cut
  (addi r3 r11 -1)
  (bgei_u r3 argument_digits argument_bad)      ; too long; or empty, as -1 is the largest number

  (imm r3 argument_text)
  (add r4 r3 r11)                       ; r3, r4: the digits that are left
  (imm r1 0)
  argument_digit:
  (ldu8 r5 r3)
  (addi r5 r5 ,(- (char->integer #\0)))
  (bgei_u r5 10 argument_bad)
  (muli r1 r1 10)
  (add r1 r1 r5)
  (addi r3 r3 1)
  (bne r3 r4 argument_digit)
  (ret)

  argument_missing:
  (mov r1 r2)
  (ret)

  argument_bad:
  (imm r1 argument_complaint)
  (imm r2 ,(- (address "argument_complaint_end") (address "argument_complaint")))
  (tail fail)

  (.rodata)
  argument_complaint:
  (.ascii "The argument should be a number of up to 18 decimal digits, such as 8.\n")
  argument_complaint_end:

  (.bss)
  argument_text:
  (.zero argument_digits))
