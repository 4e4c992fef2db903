;;; memory-model.scm: the pages of the machine that cases run in, and what an access to them does.
;;;
;;; The driver maps the same pages (their list is part of the case file) and fills them with the same
;;; background, so that a case need not say what memory holds before it.

(define page-size 65536)
(define address-space-size (expt 2 64))

;; Page address and protection: pages side by side with equal and unequal rights, gaps, both sides of
;; 4 GiB, pages far above it, the first page and the last.
(define pages
  '((#x0 "rw")
    (#x10000 "rx") (#x20000 "rw") (#x30000 "rw") (#x40000 "r") (#x50000 "w") (#x60000 "")
    (#x80000 "rw") (#x90000 "rw") (#xb0000 "rwx")
    (#xffff0000 "rw") (#x100000000 "rw")
    (#x123456780000 "rw") (#x200000000000 "rx") (#x200000010000 "rx")
    (#xffffffffffff0000 "rw")))

(define (page-protection address)
  (let ((entry (assv (* page-size (quotient address page-size)) pages)))
    (and entry (cadr entry))))

(define (right-at? address right)
  (let ((protection (page-protection address)))
    (and protection
         (let loop ((rights (string->list protection)))
           (and (pair? rights) (or (char=? (car rights) right) (loop (cdr rights))))))))

;; The first byte of a range that lacks a right, or #f. A range that would wrap around is refused at its
;; beginning.
(define (first-refused address length right)
  (cond ((= length 0) #f)
        ((> (+ address length) address-space-size) address)
        (else
         (let loop ((at address))
           (cond ((>= at (+ address length)) #f)
                 ((not (right-at? at right)) at)
                 (else (loop (* page-size (+ 1 (quotient at page-size))))))))))

;; The byte that a page holds at an address before anything is written.
(define (background-byte address)
  (arithmetic-shift (modulo (* address #x9e3779b97f4a7c15) address-space-size) -56))

;; `written` is a list of (address . byte), later ones first.
(define (memory-byte written address)
  (let ((entry (assv address written)))
    (if entry (cdr entry) (background-byte address))))

(define (memory-word written address length)
  (let loop ((n (- length 1)) (word 0))
    (if (< n 0)
        word
        (loop (- n 1) (+ (* 256 word) (memory-byte written (+ address n)))))))

(define (word->bytes address length word)
  (let loop ((n 0) (word word) (result '()))
    (if (= n length)
        (reverse result)
        (loop (+ n 1) (quotient word 256) (cons (cons (+ address n) (modulo word 256)) result)))))
