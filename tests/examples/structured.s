; Every condition and form of asm/library/structured that its example does not use. run.sh computes with
; awk what this prints: a line for each pair of numbers, a digit for each condition, 1 where it holds.

(use asm/library/structured)
(use asm/library/tables)

(define-macro ($show condition)
  `($if ,condition
        ($call "put_byte" #\1)
        ($call "put_byte" #\0)))

(define five 5)
(define end 7)

.text
($procedure "_start" () (a)
  ($for (a -2 'end)
    ($let (b)
      ($for (b -2 7)
        ($call "show_all" a b))))
  ($call "flush_output"))

($procedure "show_all" (a b) ()
  ; two registers
  ($show (a = b))
  ($show (a != b))
  ($show (a < b))
  ($show (a > b))
  ($show (a <= b))
  ($show (a >= b))
  ($show (a u< b))
  ($show (a u> b))
  ($show (a u<= b))
  ($show (a u>= b))
  ; a register and a constant
  ($show (a = 'five))
  ($show (a != 'five))
  ($show (a < 'five))
  ($show (a > 'five))
  ($show (a <= 'five))
  ($show (a >= 'five))
  ($show (a u< 'five))
  ($show (a u> 'five))
  ($show (a u<= 'five))
  ($show (a u>= 'five))
  ; both, put together
  ($show (not (a = b)))
  ($show (and (a > 0) (b > 0)))
  ($show (or (a > 0) (b > 0)))
  ($show (not (and (a > 0) (b > 0))))
  ($show (not (or (a > 0) (b > 0))))
  ($show (or (and (a = 1) (b = 2)) (and (a = 2) (b = 1)) (not (or (a != 3) (b != 3)))))
  ($show (and (or (a = 1) (b = 2)) (not (and (a = 1) (b = 2))) (a <= b)))
  ($call "put_nested" a b)
  ($call "put_byte" #\newline))

; Two frames, one in the other, with a return from within: the stack must be where it was, or else the
; addresses that the next call sees are others. Results that are each other's registers.
($procedure "put_nested" (a b) (before after)
  ($use-stack (address "stack_end"))
  (tget before t0)
  ($set (a b) ($call "swapped" a b))
  ($set (a b) ($call "swapped" a b))
  ($set (a b) ($call "swapped" a b))
  (tget after t0)
  ($show (before = after))
  ($if (a < 0)
       (neg a a))
  ($call "put_number" a))

($procedure "swapped" (a b) ()
  ($frame (outer 16)
    (st64 outer a)
    ($frame (inner 8)
      (st64 inner b)
      ($ (list (list ldu64 b outer)
               (list ldu64 a inner)))
      ($if (a < b)
           ($return a b)))
    "swapped_behind_the_inner_frame"
    ($return a b)))

.rodata
($texts)

.bss
.align 8
        .zero   256
stack_end:

(include "../../examples/lib/output.scm")
