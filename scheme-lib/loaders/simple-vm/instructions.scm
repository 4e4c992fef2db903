;; The Simple VM's instructions: four bytes each, an opcode and three of operands. A letter for each operand:
;;
;;   r  an integer register            n  a number of 16 bits, big-endian
;;   f  a floating-point register      a  an address of code, 16 bits
;;   c  a number of 8 bits             o  an offset in the read-only data, 16 bits

(module scheme-lib/loaders/simple-vm/instructions)
(use scheme-lib/util)

(define-type instruction name opcode operands)

(define rows
  '((load 0 "rn") (add 1 "rrr") (sub 2 "rrr") (mul 3 "rrr") (div 4 "rrr") (hlt 5 "") (jmp 6 "r") (jmpf 7 "r")
    (jmpb 8 "r") (eq 9 "rr") (neq 10 "rr") (gte 11 "rr") (lte 12 "rr") (lt 13 "rr") (gt 14 "rr") (jmpe 15 "r")
    (nop 16 "") (aloc 17 "r") (inc 18 "r") (dec 19 "r") (djmpe 20 "a") (prts 21 "o") (loadf64 22 "fn")
    (addf64 23 "fff") (subf64 24 "fff") (mulf64 25 "fff") (divf64 26 "fff") (eqf64 27 "ff") (neqf64 28 "ff")
    (gtf64 29 "ff") (gtef64 30 "ff") (ltf64 31 "ff") (ltef64 32 "ff") (shl 33 "rc") (shr 34 "rc") (and 35 "rrr")
    (or 36 "rrr") (xor 37 "rrr") (not 38 "rr") (lui 39 "rn") (cloop 40 "n") (loop 41 "a") (loadm 42 "rr")
    (setm 43 "rr") (push 44 "r") (pop 45 "r") (call 46 "a") (ret 47 "") (igl 100 "")))

(define all (map (lambda (row) (make-instruction (car row) (cadr row) (string->list (caddr row)))) rows))

(define (instruction-names) (map (lambda (instruction) (symbol->string (instruction-name instruction))) all))

;; Opcodes that are nobody's are illegal instructions.
(define illegal (find (lambda (instruction) (eq? (instruction-name instruction) 'igl)) all))

(define by-opcode (make-vector 256 illegal))
(for-each (lambda (instruction) (vector-set! by-opcode (instruction-opcode instruction) instruction)) all)

(define (instruction-by-opcode opcode) (vector-ref by-opcode opcode))

;; Names are written in any case; #f: there is none.
(define (instruction-by-name name)
  (let ((name (string->symbol (string-downcase name))))
    (find (lambda (instruction) (eq? (instruction-name instruction) name)) all)))

;; "add $0 $1 $2", of the four bytes at an index.
(define (instruction->text bytes at)
  (define (byte n) (u8vector-ref bytes (+ at n)))
  (let ((instruction (instruction-by-opcode (byte 0))))
    (let loop ((kinds (instruction-operands instruction)) (n 1) (words '()))
      (if (null? kinds)
          (string-join (cons (symbol->string (instruction-name instruction)) (reverse words)) " ")
          (case (car kinds)
            ((#\r #\f) (loop (cdr kinds) (+ n 1) (cons (text "$" (byte n)) words)))
            ((#\c) (loop (cdr kinds) (+ n 1) (cons (text "#" (byte n)) words)))
            (else (loop (cdr kinds) (+ n 2) (cons (text "#" (+ (* 256 (byte n)) (byte (+ n 1)))) words))))))))
