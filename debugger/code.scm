;; Looking for something in code and memory.
;;
;;   (instructions-naming (symbol-value "main"))     the addresses of instructions that call it, or make its address
;;   (search-bytes (string->utf8 "hello") 0 20)      where these bytes stand

(module debugger/code)
(use scheme-lib/util)
(use debugger/target)
(use debugger/disassembly)

;; The instruction that ends where another begins, or #f.
(define (previous-instruction address)
  (let ((before (instructions-before address 1))) (and (< before address) (target-instruction before))))

;; ---- searching -------------------------------------------------------------------------------------

;; The addresses in mapped memory from `from` on where bytes stand, at most `limit` of them.
(define (search-bytes bytes from limit)
  (let loop ((regions (target-regions)) (found '()))
    (if (or (null? regions) (>= (length found) limit))
        (reverse (drop-at-most found (- (length found) limit)))
        (let ((start (max from (caar regions))) (end (+ (caar regions) (cadar regions))))
          (loop (cdr regions)
                (if (< start end) (search-range bytes start end limit found) found))))))

(define piece 65536)

(define (search-range bytes start end limit found)
  (let ((length (u8vector-length bytes)))
    (let next-piece ((start start) (found found))
      (if (or (> (+ start length) end) (>= (fold (lambda (one n) (+ n 1)) 0 found) limit))
          found
          (let* ((memory (target-read start (min (- end start) (+ piece (- length 1))))) (last (- (u8vector-length memory) length)))
            (let loop ((i 0) (found found))
              (cond ((or (> i last) (= i piece)) (next-piece (+ start piece) found))
                    ((matches? bytes memory i) (loop (+ i 1) (cons (+ start i) found)))
                    (else (loop (+ i 1) found)))))))))

(define (matches? bytes memory i)
  (let loop ((n 0))
    (or (= n (u8vector-length bytes))
        (and (= (u8vector-ref bytes n) (u8vector-ref memory (+ i n))) (loop (+ n 1))))))

;; The instructions that name an address: jumps and calls to it, constants of its value.
(define (instructions-naming address)
  (append-map
   (lambda (region)
     (if (string-contains (caddr region) "x") (naming-in address (car region) (code-end (car region) (cadr region))) '()))
   (target-regions)))

;; Behind the last symbol's zeros nothing is worth decoding.
(define (code-end start length)
  (let loop ((end (+ start length)))
    (let* ((begin (max start (- end 4096))) (bytes (target-read begin (- end begin))) (last (last-nonzero bytes)))
      (cond (last (+ begin last 1))
            ((= begin start) start)
            (else (loop begin))))))

(define (last-nonzero bytes)
  (let loop ((i (- (u8vector-length bytes) 1)))
    (and (>= i 0) (if (= 0 (u8vector-ref bytes i)) (loop (- i 1)) i))))

(define (naming-in address start end)
  (let loop ((at start) (found '()))
    (let ((instruction (and (< at end) (target-instruction at))))
      (if instruction
          (loop (+ at (max 1 (instruction-length instruction)))
                (if (names? instruction address) (cons at found) found))
          (reverse found)))))

(define (names? instruction address)
  (or (eqv? (instruction-target instruction) address)
      (let ((fields (instruction-fields instruction)))
        (case (instruction-name instruction)
          ((imm) (= (cadr fields) address))
          ((pcimm) (= (u64 (+ (instruction-address instruction) (cadr fields))) address))
          ((spcimm) (= (u64 (- (instruction-address instruction) (cadr fields))) address))
          (else #f)))))
