;; How a debugger speaks of a Simple VM: its program counter, its registers, its instructions, what its traps mean. All
;; comes from the image's symbols and from memory, see scheme-lib/loaders/simple-vm/layout.

(module scheme-lib/loaders/simple-vm/guest)
(use scheme-lib/util)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/simple-vm/instructions)
(use scheme-lib/loaders/simple-vm/program)
(use scheme-lib/loaders/simple-vm/layout)

(define (word read address) (u8vector-ref-le (read address 4) 0 4))

;; ---- places ------------------------------------------------------------------------------------------

(define (table symbol) (symbol "simple-vm.table"))

(define (entry read) (+ header-length (word read (+ program-address 64))))

;; The Comet address of instruction n.
(define (translated read table n) (+ table 4 (s32 (word read (+ table 4 (* 4 n))))))

;; The instruction to whose translation a Comet address belongs: its number, or #f.
(define (position symbol read address)
  (let* ((table (table symbol)) (count (word read table)))
    (define (at n) (translated read table n))
    ;; What prepares the machine belongs to the first instruction.
    (and (> count 0)
         (<= code-address address)
         (< address (at count))
         (let loop ((low 0) (high count))
           (let ((middle (quotient (+ low high) 2)))
             (cond ((= middle low) low)
                   ((<= (at middle) address) (loop middle high))
                   (else (loop low middle))))))))

(define (pc symbol read address)
  (let ((n (position symbol read address)))
    (and n (number->string (+ (entry read) (* 4 n))))))

(define (instruction symbol read address)
  (let ((n (position symbol read address)))
    (and n
         (= address (translated read (table symbol) n))
         (let ((pc (+ (entry read) (* 4 n))))
           (text pc "  " (instruction->text (read (+ program-address pc) 4) 0))))))

(define-documented (machine-position symbol pc read)
  "The Comet address of the translation of the instruction at the Simple VM's address PC, which is one."
  (translated read (table symbol) (quotient (- pc (entry read)) 4)))

;; ---- registers ---------------------------------------------------------------------------------------

(define (double bits)
  (let ((sign (if (>= bits (expt 2 63)) -1. 1.))
        (exponent (bitwise-and (arithmetic-shift bits -52) 2047))
        (fraction (bitwise-and bits (- (expt 2 52) 1))))
    (* sign
       (cond ((= exponent 2047) (if (= fraction 0) +inf.0 +nan.0))
             ((= exponent 0) (exact->inexact (* fraction (expt 2 -1074))))
             (else (exact->inexact (* (+ fraction (expt 2 52)) (expt 2 (- exponent 1075)))))))))

(define (registers symbol read register)
  (define (value n) (register n))
  (append
   (map (lambda (n) (cons (text "$" n) (number->string (s32 (value (integer-register n)))))) (iota 32))
   (map (lambda (n) (cons (text "$" n "f") (number->string (double (value (float-register n)))))) (iota 32))
   (list (cons "remainder" (number->string (s32 (value remainder-register))))
         (cons "equal" (number->string (value equal-register)))
         (cons "counter" (number->string (value counter-register)))
         (cons "heap" (number->string (value heap-register)))
         (cons "sp" (number->string (value stack-register)))
         (cons "bp" (number->string (value frame-register))))))

(define simple-vm-guest (make-guest "guest.simple-vm" pc registers instruction trap-text))
