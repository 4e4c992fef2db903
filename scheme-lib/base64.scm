;; Bytes as text in base 64 (RFC 4648), with padding.
;;
;;   (u8vector->base64 #u8(1 2))   => "AQI="
;;   (base64->u8vector "AQI=")     => #u8(1 2)

(module scheme-lib/base64)
(use scheme-lib/util)
(declare (block))

(define letters "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

(define letter-values
  (let ((table (make-vector 128 #f)))
    (for-each (lambda (i) (vector-set! table (char->integer (string-ref letters i)) i)) (iota 64))
    table))

(define-documented (u8vector->base64 bytes)
  "Bytes as text in base 64."
  (let* ((length (u8vector-length bytes)) (text (make-string (* 4 (quotient (+ length 2) 3)) #\=)))
    (define (byte i) (if (< i length) (u8vector-ref bytes i) 0))
    (let loop ((i 0) (at 0))
      (if (< i length)
          (let ((group (+ (* 65536 (byte i)) (* 256 (byte (+ i 1))) (byte (+ i 2)))))
            (define (put! k shift)
              (string-set! text (+ at k) (string-ref letters (bitwise-and 63 (arithmetic-shift group shift)))))
            (put! 0 -18)
            (put! 1 -12)
            (if (< (+ i 1) length) (put! 2 -6))
            (if (< (+ i 2) length) (put! 3 0))
            (loop (+ i 3) (+ at 4)))))
    text))

(define-documented (base64->u8vector text)
  "The bytes that a text in base 64 stands for."
  (let* ((length (string-length text))
         (padding (cond ((string-suffix? "==" text) 2) ((string-suffix? "=" text) 1) (else 0)))
         (bytes (make-u8vector (max 0 (- (* 3 (quotient length 4)) padding)))))
    (define (fail) (error "this is no text in base 64:" (if (> length 40) (substring text 0 40) text)))
    (define (value i)
      (if (>= i (- length padding))
          0
          (let ((code (char->integer (string-ref text i))))
            (or (and (< code 128) (vector-ref letter-values code)) (fail)))))
    (if (not (= 0 (modulo length 4))) (fail))
    (let loop ((i 0) (at 0))
      (if (< i length)
          (let ((group (fold (lambda (k sum) (+ (* 64 sum) (value (+ i k)))) 0 '(0 1 2 3))))
            (for-each (lambda (k shift)
                        (if (< (+ at k) (u8vector-length bytes))
                            (u8vector-set! bytes (+ at k) (bitwise-and 255 (arithmetic-shift group shift)))))
                      '(0 1 2)
                      '(-16 -8 0))
            (loop (+ i 4) (+ at 3)))))
    bytes))
