;; Included by a source of forms.scm.
(define (included-twice x) (list x x))

(define (included-error x)
  (+ 1 (car x)))
