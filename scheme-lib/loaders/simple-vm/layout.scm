;; Where a translated program has what the Simple VM has: registers of one window, and sections. A 32-bit value is held
;; zero-extended.

(module scheme-lib/loaders/simple-vm/layout)
(use scheme-lib/util)

(define (integer-register n) (+ 1 n))    ; $0 to $31
(define (float-register n) (+ 33 n))
(define remainder-register 65)
(define equal-register 66)               ; 0 or 1
(define counter-register 67)             ; of cloop and loop
(define heap-register 68)                ; bytes on the heap
(define stack-register 69)               ; words on the stack
(define frame-register 70)               ; words on the stack when the subroutine was called
(define stack-base-register 71)          ; the stack's address
(define link-register 72)
(define (scratch n) (+ 73 n))            ; 0 to 5
(define host-register 80)                ; arguments of host calls behind it

(define code-address #x10000)
;; The file of the Simple VM, for its read-only data and for who looks; behind it the table of instructions: how many
;; there are (4 bytes), then for each the distance of its translation from the first entry (4 bytes, signed).
(define program-address #x10000000)
(define stack-address #x20000000)
(define stack-words 524288)
(define heap-address #x30000000)
(define heap-start 2048)
(define heap-limit (* 16 1024 1024))

;; What its own traps mean: the number of a user trap is an index, from 1.
(define traps
  '((register "there is no such register: they are $0 to $31")
    (jump "the target is not the beginning of an instruction")
    (memory "4 bytes at this offset are not all on the heap")
    (heap "the heap would have less than 0 bytes or more than 16777216")
    (full "the stack is full: it has 524288 words")
    (empty "the stack is empty, or has too little for ret")
    (string "no text that ends with a zero is at this offset of the read-only data")))

(define (trap-code name) (+ 1 (list-index (lambda (trap) (eq? (car trap) name)) traps)))

(define (trap-text code) (and (<= 1 code (length traps)) (cadr (list-ref traps (- code 1)))))
