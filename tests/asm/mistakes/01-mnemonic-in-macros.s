(define (inner r)
  (list (list addi r r 1)
        (list (quote ad) r r r)))

(define (outer . registers)
  (map inner registers))

_start:
        (outer r1 r2)
        halt
