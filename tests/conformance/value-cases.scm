;;; value-cases.scm: the values that instructions are tried with: edges, and seeded random ones.

;; ---- random numbers: a 64-bit linear congruential generator, the same on every host ------------------

(define random-state 20260717)
(define (random-word)
  (define (step!)
    (set! random-state (modulo (+ (* random-state 6364136223846793005) 1442695040888963407) (expt 2 64)))
    (arithmetic-shift random-state -32))
  (let* ((high (step!)) (low (step!)))
    (+ (* high (expt 2 32)) low)))
(define (random-below n) (modulo (arithmetic-shift (random-word) -8) n))
(define (random-of list) (list-ref list (random-below (length list))))

;; ---- words ----------------------------------------------------------------------------------------

(define word-edges
  '(0 1 2 7 #x7f #x80 #xff #x7fff #x8000 #xffff #x7fffffff #x80000000 #xffffffff #x100000000
    #x7fffffffffffffff #x8000000000000000 #x8000000000000001 #xffffffffffffffff #xfffffffffffffffe
    #xffffffffffffff80 #xffffffff80000000 #xffffffff7fffffff #x0123456789abcdef))
(define word-pair-edges
  '(0 1 2 3 #x7fffffff #x80000000 #xffffffff #x100000000 #x7fffffffffffffff #x8000000000000000
    #x8000000000000001 #xffffffffffffffff #xfffffffffffffffe #x0123456789abcdef))
;; High halves that a 32-bit instruction must not see.
(define half-word-pair-edges
  '(0 1 2 #x7f #x7fffffff #x80000000 #x80000001 #xffffffff #xdeadbeef00000000 #xffffffff80000000
    #x12345678ffffffff #x100000001 #x7ffffffffffffffe #xffffffffffffffff))
(define count-edges
  '(0 1 2 7 8 15 16 31 32 33 63 64 65 127 128 #x80000000 #x100000000 #x8000000000000000 #xffffffffffffffff))
(define signed-edges
  '(0 1 -1 2 63 -64 64 -65 127 128 -128 8191 -8192 #x7fffffff #x-80000000 #x80000000 #xffffffff #x100000000
    #x-80000001 #x7fffffffffffffff #x-8000000000000000 #x123456789abcdef))

(define (random-signed) (- (arithmetic-shift (random-word) (- (random-below 64))) (if (even? (random-below 2)) 0 (expt 2 (random-below 64)))))
(define (random-signed-64)
  (let ((n (random-signed)))
    (max (- (expt 2 63)) (min n (- (expt 2 63) 1)))))
(define (random-magnitude) (arithmetic-shift (random-word) (- (random-below 64))))

;; ---- floating-point numbers -----------------------------------------------------------------------

(define (float-edges f)
  (let* ((sign (float-sign-bit f))
         (one (float-round f 1 #f))
         (positive (list 0 1
                         (- (float-smallest-normal f) 1) (float-smallest-normal f)
                         one (+ one 1) (- one 1) (float-round f 3/2 #f) (float-round f 1/3 #f)
                         (float-round f (expt 2 (- (float-precision f) 1)) #f)
                         (float-largest f) (float-infinity f) (float-nan f))))
    (append positive
            (map (lambda (bits) (+ sign bits)) (list 0 1 (float-smallest-normal f) one (float-largest f) (float-infinity f)))
            ;; signalling, and quiet with sign and payload
            (list (+ (float-infinity f) 1) (+ sign (float-nan f) 12345)))))

;; Edges of rounding to integers and of conversions.
(define (integer-edges f)
  (let ((near (lambda (rational)
                (let ((bits (float-round f rational #f)))
                  (list (- bits 1) bits (+ bits 1))))))
    (append (apply append
                   (map near (list 1/2 -1/2 1 -1 3/2 -3/2 5/2 -5/2 7/2 127 128
                                   (expt 2 (- (float-precision f) 2)) (expt 2 (- (float-precision f) 1))
                                   (+ (expt 2 (- (float-precision f) 2)) 1/2)
                                   (expt 2 (float-precision f))
                                   (expt 2 31) (- (expt 2 31)) (- -1 (expt 2 31)) (- (expt 2 31) 1) (- (expt 2 31) 1/2)
                                   (expt 2 32) (- (expt 2 32) 1) (- (expt 2 32) 1/2) (- (expt 2 32))
                                   (expt 2 63) (- (expt 2 63)) (expt 2 64) (- (expt 2 64)))))
            (float-edges f))))

;; Edges of narrowing a wider format: borders between two numbers of the narrower one, and its limits.
(define (narrowing-edges from to)
  (let ((near (lambda (rational)
                (let ((bits (float-round from rational #f)))
                  (list (- bits 1) bits (+ bits 1)))))
        (value (lambda (bits) (float-value to bits))))
    (append (apply append
                   (map near
                        (let ((one (float-round to 1 #f)) (largest (float-largest to)))
                          (list (/ (+ (value one) (value (+ one 1))) 2)
                                (/ (+ (value (+ one 1)) (value (+ one 2))) 2)
                                (value largest)
                                (+ (value largest) (/ (- (value largest) (value (- largest 1))) 2))
                                (/ (value 1) 2) (* 3/2 (value 1)) (value 1) (/ (value 1) 4)
                                (value (float-smallest-normal to))
                                (- (value (float-smallest-normal to)) (/ (value 1) 2))))))
            (float-edges from))))

(define (random-float f)
  (case (random-below 4)
    ((0) (unsigned (float-width f) (random-word)))
    ;; few significant bits: exact results and ties
    ((1) (float-round f (* (if (even? (random-below 2)) 1 -1)
                           (random-below 256) (expt 2 (- (random-below 40) 20))) #f))
    ;; within reach of 1, so that sums cancel and align
    ((2) (float-round f (* (if (even? (random-below 2)) 1 -1)
                           (/ (random-word) (expt 2 (+ 32 (random-below 64))))) #f))
    (else (+ (random-of (float-edges f)) 0))))

;; The high half of a register that holds an f32 is noise.
(define (with-noise word) (+ (u32 word) (* (expt 2 32) (u32 (random-word)))))

;; ---- domains: which values a field takes ------------------------------------------------------------

;; A domain is a pair: edges, and a procedure that gives a random value.
(define word-domain (cons word-edges (lambda () (if (even? (random-below 2)) (random-word) (random-magnitude)))))
(define word-pair-domain (cons word-pair-edges (cdr word-domain)))
(define half-word-domain (cons half-word-pair-edges (lambda () (random-word))))
(define count-domain (cons count-edges (lambda () (random-word))))
(define signed-domain (cons signed-edges random-signed-64))
(define f64-domain (cons (float-edges f64) (lambda () (random-float f64))))
(define f32-domain (cons (map with-noise (float-edges f32)) (lambda () (with-noise (random-float f32)))))
(define f64-integer-domain (cons (integer-edges f64) (lambda () (random-float f64))))
(define f32-integer-domain (cons (map with-noise (integer-edges f32)) (lambda () (with-noise (random-float f32)))))
(define f64-narrowing-domain (cons (narrowing-edges f64 f32) (lambda () (random-float f64))))
;; Words whose conversion must round: borders of f64 and f32 at the upper end.
(define integer-domain
  (cons (append word-edges
                (apply append
                       (map (lambda (bits)
                              (let ((border (+ (expt 2 bits) (expt 2 (- bits 53)))) (narrow (+ (expt 2 bits) (expt 2 (- bits 24)))))
                                (list (- border 1) border (+ border 1) (* 3 (expt 2 (- bits 53)))
                                      (- narrow 1) narrow (+ narrow 1) (+ narrow (expt 2 (- bits 23)))
                                      (modulo (- border) (expt 2 64)) (modulo (- narrow) (expt 2 64)))))
                            '(54 62 63)))
                '(#xfffffffffffffbff #xfffffffffffffc00 #xfffffffffffffc01 #x7ffffffffffffdff #x7ffffffffffffe00
                  #x7fffffbfffffffff #x7fffffc000000000 #xffffff7fffffffff #xffffff8000000000
                  #x1000000 #x1000001 #x1000003 #xfffffff #xffffff80 #xffffff7f))
        (cdr word-domain)))

(define (name-ends-with? name ending)
  (let* ((text (symbol->string name)) (n (string-length text)) (m (string-length ending)))
    (and (>= n m) (string=? (substring text (- n m) n) ending))))
(define (name-begins-with? name beginning)
  (let* ((text (symbol->string name)) (n (string-length text)) (m (string-length beginning)))
    (and (>= n m) (string=? (substring text 0 m) beginning))))

(define (register-domain instruction position count)
  (let ((name (instruction-name instruction)))
    (case (instruction-group instruction)
      ((integer32)
       (if (and (= position 1)
                (or (name-begins-with? name "sh") (name-begins-with? name "rot")))
           count-domain
           half-word-domain))
      ((float64)
       (if (memq name '(fceil ffloor ftrunc fnearest fround)) f64-integer-domain f64-domain))
      ((float32)
       (if (memq name '(fceil32 ffloor32 ftrunc32 fnearest32 fround32)) f32-integer-domain f32-domain))
      ((convert)
       (cond ((eq? name 'cvt_f32_f64) f64-narrowing-domain)
             ((eq? name 'cvt_f64_f32) f32-domain)
             ((or (name-ends-with? name "_f64") (name-ends-with? name "_f64_sat")) f64-integer-domain)
             ((or (name-ends-with? name "_f32") (name-ends-with? name "_f32_sat")) f32-integer-domain)
             (else integer-domain)))
      ((branch)
       (cond ((memq name '(bfeq bfne bflt bfnlt bfle bfnle)) f64-domain)
             ((name-ends-with? name "32_s") half-word-domain)
             (else word-pair-domain)))
      (else
       (cond ((and (= position 1) (or (name-begins-with? name "shr") (name-begins-with? name "rot") (eq? name 'shl)))
              count-domain)
             ((= count 1) word-domain)
             (else word-pair-domain))))))

(define (field-domain instruction operand position count)
  (case operand
    ((#\s #\x) (register-domain instruction position count))
    ((#\i #\o) signed-domain)
    ((#\c) count-domain)
    ((#\f) f64-domain)
    ((#\g) (cons (float-edges f32) (lambda () (random-float f32))))
    (else word-domain)))

;; ---- cases of one instruction ---------------------------------------------------------------------

(define (cartesian lists)
  (if (null? lists)
      '(())
      (let ((rest (cartesian (cdr lists))))
        (apply append
               (map (lambda (first) (map (lambda (more) (cons first more)) rest))
                    (car lists))))))

;; At most `limit` elements of a list, chosen evenly by a stride that is prime.
(define (thin list limit)
  (let ((n (length list)))
    (if (<= n limit)
        list
        (let ((all (list->vector list)))
          (let loop ((k 0) (at 0) (result '()))
            (if (= k limit)
                result
                (loop (+ k 1) (modulo (+ at 7919) n) (cons (vector-ref all at) result))))))))

(define random-cases 80)

;; Calls (use values) for each combination of values of the fields that are read.
(define (for-each-value-case instruction operands use)
  (let* ((count (length operands))
         (domains (let loop ((operands operands) (position 0))
                    (if (null? operands)
                        '()
                        (cons (field-domain instruction (car operands) position count)
                              (loop (cdr operands) (+ position 1)))))))
    (for-each use (thin (cartesian (map car domains)) 480))
    (do ((n 0 (+ n 1)))
        ((= n random-cases))
      (use (map (lambda (domain) ((cdr domain))) domains)))))

;; Sums that one rounding and two tell apart: a product near a border of rounding, and an addend that
;; decides it.
(define (for-each-fused-case f noise use)
  (do ((n 0 (+ n 1)))
      ((= n 120))
    (let* ((precision (float-precision f))
           (a (float-round f (+ 1 (/ (random-below (expt 2 12)) (expt 2 (- precision 1)))) #f))
           (b (float-round f (+ 1 (/ (random-below (expt 2 12)) (expt 2 (- precision 1)))) #f))
           (product (* (float-value f a) (float-value f b)))
           (c (case (random-below 3)
                ;; cancels all but the rounding error of the product
                ((0) (float-round f (- product) #f))
                ;; far below it: decides ties
                ((1) (float-round f (* (- 1 (* 2 (random-below 2))) (expt 2 (- -1 (* 2 precision)))) #f))
                (else (random-float f)))))
      (use (map noise (list c a b))))))

(define (write-value-cases instruction)
  (let* ((name (instruction-name instruction))
         (read (let loop ((operands (instruction-operands instruction)))
                 (cond ((null? operands) '())
                       ((char=? (car operands) #\d) (loop (cdr operands)))
                       (else (cons (car operands) (loop (cdr operands)))))))
         (use (lambda (values) (write-value-case name values (oracle-result name values)))))
    (for-each-value-case instruction read use)
    (case name
      ((ffma) (for-each-fused-case f64 (lambda (x) x) use))
      ((ffma32) (for-each-fused-case f32 with-noise use)))))
