;; Where instructions begin that lie before an address. Lengths differ, so that can only be known from a place at
;; which one surely begins: a symbol, a source line, the beginning of the mapped pages.
;;
;;   (instructions-up-to #x10010 3)   => (65539 65542 65548), at most so many, ascending
;;   (instructions-before #x10010 3)  => 65539, or the address itself where nothing is known

(module debugger/disassembly)
(use scheme-lib/util)
(use debugger/target)
(use debugger/program)
(use debugger/lines)

;; Bytes that are decoded to get from such a place to an address.
(define farthest 65536)

;; The nearest such place before an address, or #f.
(define (start-before address)
  (let* ((at (- address 1))
         (symbol (and (>= at 0) (symbol-at at)))
         (line (and (>= at 0) (line-start at)))
         (region (find (lambda (region) (<= (car region) at (+ (car region) (cadr region) -1))) (target-regions)))
         (known (and region
                     (fold max (car region) (filter-map (lambda (place) (and place (>= place (car region)) place))
                                                        (list (and symbol (cdr symbol)) line))))))
    (and known (<= (- address known) farthest) known)))

;; The starts from one up to an address, ascending; #f when decoding does not meet that.
(define (starts-between start address)
  (let loop ((at start) (starts '()))
    (cond ((= at address) (reverse starts))
          ((> at address) #f)
          (else
           (let ((instruction (target-instruction at)))
             (and instruction (loop (+ at (max 1 (instruction-length instruction))) (cons at starts))))))))

(define (last-ones list count) (list-tail list (max 0 (- (length list) count))))

(define (instructions-up-to address count)
  (let loop ((found '()) (address address))
    (let* ((start (and (< (length found) count) (start-before address)))
           (starts (and start (starts-between start address))))
      (if starts
          (loop (append starts found) start)
          (last-ones found count)))))

(define (instructions-before address count)
  (let ((starts (instructions-up-to address count))) (if (pair? starts) (car starts) address)))
