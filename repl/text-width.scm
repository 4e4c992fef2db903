;; How many columns of a terminal a text takes. From Unicode's EastAsianWidth.txt, whole blocks.
;;
;;   (columns-of "日x")   => 3

(module repl/text-width)
(use scheme-lib/util)

;; Characters that take two columns, and those that take none, as ranges; all others take one.
(define wide-ranges
  '((#x1100 . #x115F) (#x2E80 . #x303E) (#x3041 . #xA4CF) (#xAC00 . #xD7A3) (#xF900 . #xFAFF)
    (#xFE30 . #xFE6F) (#xFF00 . #xFF60) (#xFFE0 . #xFFE6) (#x1F300 . #x1F64F) (#x1F900 . #x1F9FF)
    (#x20000 . #x3FFFD)))
(define no-width-ranges '((#x300 . #x36F) (#x200B . #x200F) (#x20D0 . #x20FF) (#xFE00 . #xFE0F)))

(define (in-range? code ranges) (any (lambda (range) (<= (car range) code (cdr range))) ranges))

(define (char-columns character)
  (let ((code (char->integer character)))
    (cond ((< code #x300) 1)
          ((in-range? code wide-ranges) 2)
          ((in-range? code no-width-ranges) 0)
          (else 1))))

(define (columns-of string)
  (let loop ((i 0) (columns 0))
    (if (= i (string-length string))
        columns
        (loop (+ i 1) (+ columns (char-columns (string-ref string i)))))))
