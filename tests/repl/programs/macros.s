; Macros within macros, for steps into them and over them.
(define (advance register)
  (list (list addi register register 1)
        (list nop)))

(define (count-to register n)
  (list (list imm register 0)
        (advance register)
        (list call r20 'leaf)
        (advance register)
        (list addi register register n)))

_start:
        imm     r1, 1
        (count-to r2 3)
        imm     r3, 1
        (count-to r4 5)
        halt
leaf:   imm     r1, 7
        ret
