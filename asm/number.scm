;; Numbers as bytes: little-endian integers, IEEE 754.
;;
;;   (put-integer! bytes 0 300 2)    ; 44 1
;;   (real->bits 1/2 52 11)          => #x3fe0000000000000
(module asm/number)
(declare (standard-bindings) (extended-bindings) (block))

(define two^63 (expt 2 63))
(define two^64 (expt 2 64))

(define (exact-integer? x)
  (and (integer? x) (exact? x)))

;; Whether x is an integer that 64 bits hold, signed or unsigned.
(define (integer-64? x)
  (or (fixnum? x)
      (and (exact-integer? x) (>= x (- two^63)) (< x two^64))))

;; The same 64 bits read as an unsigned, and as a signed number.
(define (unsigned-64 n)
  (cond ((and (fixnum? n) (fx>= n 0)) n)
        ((< n 0) (+ n two^64))
        (else n)))

(define (signed-64 n)
  (cond ((fixnum? n) n)
        ((>= n two^63) (- n two^64))
        (else n)))

;; Little-endian, `size` bytes; higher bits of n are dropped.
(define (put-integer! bytes at n size)
  (let loop ((i 0) (n n))
    (if (fx< i size)
        (begin
          (u8vector-set! bytes (fx+ at i) (bitwise-and n 255))
          (loop (fx+ i 1) (arithmetic-shift n -8))))))

(define (byte-swap n size)
  (let loop ((i 0) (n n) (swapped 0))
    (if (fx= i size)
        swapped
        (loop (fx+ i 1) (arithmetic-shift n -8)
              (+ (* 256 swapped) (bitwise-and n 255))))))

;; ---- IEEE 754 ----------------------------------------------------------------------------------------

;; The bits of a real number in a format with so many significand and exponent bits (52 and 11 for an
;; f64, 23 and 8 for an f32), rounded once, ties to even. Exact numbers are rounded from their exact value.
(define (real->bits x significand-bits exponent-bits)
  (let* ((top (arithmetic-shift 1 (+ significand-bits exponent-bits)))
         (infinity (- top (arithmetic-shift 1 significand-bits))))
    (cond ((and (flonum? x) (nan? x))
           (+ infinity (arithmetic-shift 1 (- significand-bits 1))))
          ((and (flonum? x) (infinite? x))
           (if (> x 0) infinity (+ top infinity)))
          ((zero? x)
           (if (and (flonum? x) (negative? (/ 1. x))) top 0))
          ((negative? x)
           (+ top (magnitude-bits (- (inexact->exact x)) significand-bits exponent-bits infinity)))
          (else
           (magnitude-bits (inexact->exact x) significand-bits exponent-bits infinity)))))

;; x is exact and positive. Its significand, an integer of significand-bits + 1 bits, counts units of
;; 2^(exponent - significand-bits); below the smallest normal number the unit stays that of the subnormals.
(define (magnitude-bits x significand-bits exponent-bits infinity)
  (let* ((bias (- (arithmetic-shift 1 (- exponent-bits 1)) 1))
         (exponent (max (floor-log2 x) (- 1 bias)))
         (units (round (* x (expt 2 (- significand-bits exponent)))))
         ;; A significand that was rounded up to the next power of two carries into the exponent by itself.
         (bits (+ units (arithmetic-shift (+ exponent bias -1) significand-bits))))
    (min bits infinity)))

(define (floor-log2 x)
  (let* ((guess (- (integer-length (numerator x)) (integer-length (denominator x)))))
    (if (<= (expt 2 guess) x) guess (- guess 1))))
