;;; exact-float.scm: IEEE 754 arithmetic on bit patterns, done with exact rationals.
;;;
;;; A finite number is decoded to the rational that it is, the operation is carried out without any
;;; error, and the result is rounded once, by integer division, to the nearest number of the format,
;;; ties to even. Nothing here touches a floating-point unit, so that nothing here can share a mistake
;;; with the machine under test. NaN results are the canonical NaN.
;;;
;;;   (float-add f64 #x3ff0000000000000 #x3ff0000000000000)  => #x4000000000000000

(define-record-type float-format
  (make-float-format width precision)
  float-format?
  (width float-width)
  (precision float-precision))

(define f64 (make-float-format 64 53))
(define f32 (make-float-format 32 24))

;; ---- the parts of a format ------------------------------------------------------------------------

(define (float-exponent-bits f) (- (float-width f) (float-precision f)))

;; The exponent of the unit in the last place of the subnormal numbers.
(define (float-minimum-exponent f)
  (- 3 (expt 2 (- (float-exponent-bits f) 1)) (float-precision f)))

(define (float-sign-bit f) (expt 2 (- (float-width f) 1)))

(define (float-infinity f)
  (arithmetic-shift (- (expt 2 (float-exponent-bits f)) 1) (- (float-precision f) 1)))

(define (float-nan f)
  (+ (float-infinity f) (expt 2 (- (float-precision f) 2))))

(define (float-largest f) (- (float-infinity f) 1))
(define (float-smallest-normal f) (expt 2 (- (float-precision f) 1)))

(define (float-signed f negative? magnitude)
  (if negative? (+ (float-sign-bit f) magnitude) magnitude))

;; ---- what a bit pattern is ------------------------------------------------------------------------

(define (float-bits f word) (modulo word (expt 2 (float-width f))))
(define (float-negative? f bits) (>= bits (float-sign-bit f)))
(define (float-magnitude f bits) (modulo bits (float-sign-bit f)))
(define (float-nan? f bits) (> (float-magnitude f bits) (float-infinity f)))
(define (float-infinite? f bits) (= (float-magnitude f bits) (float-infinity f)))
(define (float-zero? f bits) (= (float-magnitude f bits) 0))
(define (float-finite? f bits) (< (float-magnitude f bits) (float-infinity f)))

;; The rational that a finite bit pattern stands for.
(define (float-value f bits)
  (let* ((magnitude (float-magnitude f bits))
         (unit (float-smallest-normal f))
         (field (quotient magnitude unit))
         (fraction (modulo magnitude unit))
         (absolute (if (= field 0)
                       (* fraction (expt 2 (float-minimum-exponent f)))
                       (* (+ unit fraction) (expt 2 (+ field -1 (float-minimum-exponent f)))))))
    (if (float-negative? f bits) (- absolute) absolute)))

;; ---- rounding -------------------------------------------------------------------------------------

(define (round-quotient-half-even numerator denominator)
  (let* ((floor (quotient numerator denominator))
         (twice (* 2 (- numerator (* floor denominator)))))
    (cond ((< twice denominator) floor)
          ((> twice denominator) (+ floor 1))
          ((even? floor) floor)
          (else (+ floor 1)))))

;; The bits of the number nearest to a rational; where the rational is 0, `negative-zero?` gives its sign.
(define (float-round f rational negative-zero?)
  (if (= rational 0)
      (float-signed f negative-zero? 0)
      (let* ((n (abs (numerator rational)))
             (d (denominator rational))
             (scaled (lambda (exponent use)
                       (if (< exponent 0)
                           (use (arithmetic-shift n (- exponent)) d)
                           (use n (arithmetic-shift d exponent)))))
             (estimate (- (integer-length n) (integer-length d) (float-precision f)))
             (limit (expt 2 (float-precision f)))
             (exponent (if (>= (scaled estimate quotient) limit) (+ estimate 1) estimate))
             (exponent (max exponent (float-minimum-exponent f)))
             (significand (scaled exponent round-quotient-half-even))
             ;; The significand's leading bit adds 1 to the exponent field, so the fields need no masking
             ;; and a carry out of the significand goes where it belongs.
             (bits (+ significand
                      (* (- exponent (float-minimum-exponent f)) (float-smallest-normal f)))))
        (float-signed f (< rational 0) (min bits (float-infinity f))))))

;; ---- arithmetic -----------------------------------------------------------------------------------

(define (float-add f a b)
  (let ((a-negative? (float-negative? f a)) (b-negative? (float-negative? f b)))
    (cond ((or (float-nan? f a) (float-nan? f b)) (float-nan f))
          ((float-infinite? f a)
           (if (and (float-infinite? f b) (not (eq? a-negative? b-negative?))) (float-nan f) a))
          ((float-infinite? f b) b)
          (else (float-round f (+ (float-value f a) (float-value f b)) (and a-negative? b-negative?))))))

(define (float-negate f a)
  (float-signed f (not (float-negative? f a)) (float-magnitude f a)))

(define (float-absolute f a) (float-magnitude f a))

(define (float-copy-sign f a b) (float-signed f (float-negative? f b) (float-magnitude f a)))

(define (float-subtract f a b)
  (if (float-nan? f b) (float-nan f) (float-add f a (float-negate f b))))

(define (float-signs-differ? f a b)
  (not (eq? (float-negative? f a) (float-negative? f b))))

(define (float-multiply f a b)
  (let ((negative? (float-signs-differ? f a b)))
    (cond ((or (float-nan? f a) (float-nan? f b)) (float-nan f))
          ((or (float-infinite? f a) (float-infinite? f b))
           (if (or (float-zero? f a) (float-zero? f b))
               (float-nan f)
               (float-signed f negative? (float-infinity f))))
          (else (float-round f (* (float-value f a) (float-value f b)) negative?)))))

(define (float-divide f a b)
  (let ((negative? (float-signs-differ? f a b)))
    (cond ((or (float-nan? f a) (float-nan? f b)) (float-nan f))
          ((float-infinite? f a)
           (if (float-infinite? f b) (float-nan f) (float-signed f negative? (float-infinity f))))
          ((float-infinite? f b) (float-signed f negative? 0))
          ((float-zero? f b)
           (if (float-zero? f a) (float-nan f) (float-signed f negative? (float-infinity f))))
          (else
           ;; Magnitudes: Gambit 4.9.3 divides wrongly by negative bignums.
           (let ((ratio (/ (abs (float-value f a)) (abs (float-value f b)))))
             (float-round f (if negative? (- ratio) ratio) negative?))))))

;; a * b + c, rounded once.
(define (float-multiply-add f a b c)
  (let ((product-negative? (float-signs-differ? f a b)))
    (cond ((or (float-nan? f a) (float-nan? f b) (float-nan? f c)) (float-nan f))
          ((or (float-infinite? f a) (float-infinite? f b))
           (cond ((or (float-zero? f a) (float-zero? f b)) (float-nan f))
                 ((and (float-infinite? f c) (not (eq? product-negative? (float-negative? f c)))) (float-nan f))
                 (else (float-signed f product-negative? (float-infinity f)))))
          ((float-infinite? f c) c)
          (else (float-round f (+ (* (float-value f a) (float-value f b)) (float-value f c))
                             (and product-negative? (float-negative? f c)))))))

;; The largest integer whose square is at most n.
(define (integer-root n)
  (if (= n 0)
      0
      (let loop ((guess (arithmetic-shift 1 (quotient (+ (integer-length n) 1) 2))))
        (let ((next (quotient (+ guess (quotient n guess)) 2)))
          (if (< next guess) (loop next) guess)))))

(define (float-square-root f a)
  (cond ((float-nan? f a) (float-nan f))
        ((float-zero? f a) a)
        ((float-negative? f a) (float-nan f))
        ((float-infinite? f a) a)
        (else
         (let* ((value (float-value f a))
                ;; A power of 4 that makes an integer of more than twice the precision, so that its root
                ;; has at least two bits below the last place of the result.
                (digits (+ (* 2 (float-precision f)) 6))
                (shift (max 0 (+ digits (integer-length (denominator value)) (- (integer-length (numerator value))))))
                (shift (+ shift (modulo shift 2)))
                (integer (quotient (* (numerator value) (expt 2 shift)) (denominator value)))
                (root (integer-root integer))
                (exact? (= (* root root (denominator value)) (* (numerator value) (expt 2 shift))))
                ;; An inexact root lies strictly between two neighbours; no rounding border lies there but
                ;; at the neighbours themselves, so that the middle rounds as the root does.
                (rational (if exact? root (+ root 1/2))))
           (float-round f (/ rational (expt 2 (quotient shift 2))) #f)))))

;; ---- order ----------------------------------------------------------------------------------------

(define (float-unordered? f a b) (or (float-nan? f a) (float-nan? f b)))

;; A rational that orders like the number: infinities lie beyond every finite number.
(define (float-order f a)
  (if (float-infinite? f a)
      (* (if (float-negative? f a) -1 1) (expt 2 (expt 2 (float-exponent-bits f))))
      (float-value f a)))

(define (float-equal? f a b)
  (and (not (float-unordered? f a b)) (= (float-order f a) (float-order f b))))
(define (float-less? f a b)
  (and (not (float-unordered? f a b)) (< (float-order f a) (float-order f b))))
(define (float-less-or-equal? f a b)
  (and (not (float-unordered? f a b)) (<= (float-order f a) (float-order f b))))

;; Of two numbers the smaller, -0 being smaller than +0.
(define (float-smaller f a b)
  (cond ((float-less? f a b) a)
        ((float-less? f b a) b)
        ((float-negative? f a) a)
        (else b)))
(define (float-larger f a b)
  (if (= (float-smaller f a b) a) b a))

(define (float-minimum f a b)
  (if (float-unordered? f a b) (float-nan f) (float-smaller f a b)))
(define (float-maximum f a b)
  (if (float-unordered? f a b) (float-nan f) (float-larger f a b)))

(define (number-of f a b choose)
  (cond ((and (float-nan? f a) (float-nan? f b)) (float-nan f))
        ((float-nan? f a) b)
        ((float-nan? f b) a)
        (else (choose f a b))))
(define (float-minimum-number f a b) (number-of f a b float-smaller))
(define (float-maximum-number f a b) (number-of f a b float-larger))

;; ---- integers -------------------------------------------------------------------------------------

(define (round-half-away rational)
  (if (< rational 0)
      (- (floor (+ (- rational) 1/2)))
      (floor (+ rational 1/2))))

;; Rounds to an integer of the format with a procedure on rationals; the sign stays, also that of a zero.
(define (float-round-to-integer f a rounding)
  (cond ((float-nan? f a) (float-nan f))
        ((float-infinite? f a) a)
        (else (float-round f (rounding (float-value f a)) (float-negative? f a)))))

;; An integer of the range, or the kind of trap.
(define (float->integer f a minimum maximum)
  (cond ((float-nan? f a) 'invalid)
        ((float-infinite? f a) 'overflow)
        (else (let ((integer (truncate (float-value f a))))
                (if (<= minimum integer maximum) integer 'overflow)))))

(define (float->integer-saturating f a minimum maximum)
  (cond ((float-nan? f a) 0)
        ((float-infinite? f a) (if (float-negative? f a) minimum maximum))
        (else (max minimum (min maximum (truncate (float-value f a)))))))

(define (float-convert from to a)
  (cond ((float-nan? from a) (float-nan to))
        ((float-infinite? from a) (float-signed to (float-negative? from a) (float-infinity to)))
        (else (float-round to (float-value from a) (float-negative? from a)))))

(define (float-class f a)
  (let ((magnitude (float-magnitude f a)))
    (expt 2
          (cond ((float-nan? f a) (if (>= magnitude (float-nan f)) 9 8))
                (else
                 (let ((class (cond ((= magnitude (float-infinity f)) 7)
                                    ((>= magnitude (float-smallest-normal f)) 6)
                                    ((> magnitude 0) 5)
                                    (else 4))))
                   (if (float-negative? f a) (- 7 class) class)))))))
