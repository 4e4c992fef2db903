(define (twice x)
  (list x x)

_start: (twice nop)
        halt
