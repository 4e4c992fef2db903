;; An i32 or i64 is an integer, signed when it comes back; an f32 or f64 a real; a null reference #f; other references
;; of functions integers. Any object can be an external reference: a table of the instance keeps it.
(module scheme-lib/loaders/wasm/values)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/module)
(declare (block))

;; The bits of a real, as an f32 or f64. Vectors of reals have them as bytes, which their own accessors do not show.
(define (real->bits type x)
  (let* ((x (exact->inexact x)) (f32? (eqv? type type:f32)) (vector (if f32? (f32vector x) (f64vector x))))
    (let loop ((i (if f32? 3 7)) (bits 0))
      (if (< i 0) bits (loop (- i 1) (+ (* 256 bits) (##u8vector-ref vector i)))))))

(define (bits->real type bits)
  (let* ((f32? (eqv? type type:f32)) (vector (if f32? (f32vector 0.) (f64vector 0.))))
    (do ((i 0 (+ i 1)) (bits bits (arithmetic-shift bits -8))) ((= i (if f32? 4 8)))
      (##u8vector-set! vector i (bitwise-and bits 255)))
    (if f32? (f32vector-ref vector 0) (f64vector-ref vector 0))))

(define (refuse type value)
  (error (text "WebAssembly: " (written value) " is no value of type " (type->text type))))

;; What external references stand for: numbers by object, objects by number.
(define-type references by-object by-number)
(define (make-reference-table) (make-references (make-table test: eq?) (make-table)))

(define (reference->bits references object)
  (or (table-ref (references-by-object references) object #f)
      (let ((bits (+ 1 (table-length (references-by-object references)))))
        (table-set! (references-by-object references) object bits)
        (table-set! (references-by-number references) bits object)
        bits)))

(define (integer-bits type value width)
  (if (and (integer? value) (exact? value) (<= (- (expt 2 (- width 1))) value (- (expt 2 width) 1)))
      (bitwise-and value (- (expt 2 width) 1))
      (refuse type value)))

(define (value->bits type value references)
  (cond ((eqv? type type:i32) (integer-bits type value 32))
        ((eqv? type type:i64) (integer-bits type value 64))
        ((or (eqv? type type:f32) (eqv? type type:f64))
         (if (real? value) (real->bits type value) (refuse type value)))
        ((not value) 0)
        ((eqv? type type:funcref) (integer-bits type value 64))
        (else (reference->bits references value))))

(define (bits->value type bits references)
  (cond ((eqv? type type:i32) (s32 bits))
        ((eqv? type type:i64) (s64 bits))
        ((or (eqv? type type:f32) (eqv? type type:f64)) (bits->real type bits))
        ((= bits 0) #f)
        ((eqv? type type:funcref) bits)
        (else (table-ref (references-by-number references) bits))))
