;; Numbers of variable length: ULEB128, SLEB128, zig-zag.
;;
;; In ULEB128, seven bits make a byte, the lowest first, and the high bit is set on all bytes but the last. Every field
;; of an instruction is such a number. A longer encoding than needed means the same number; it is used where a number
;; must keep a size, or is filled in later.
;;
;;   (uleb128-bytes 300)             => #u8(172 2)
;;   (sleb128-bytes -1)              => #u8(127)
;;   (uleb128-bytes (zigzag -1))     => #u8(1)
(module scheme-lib/leb128)
(declare (standard-bindings) (extended-bindings) (block))

;; Small numbers of either sign become small numbers: 0 -1 1 -2 2 … => 0 1 2 3 4 …
(define (zigzag n)
  (if (< n 0) (- (* -2 n) 1) (* 2 n)))

(define (unzigzag n)
  (let ((half (arithmetic-shift n -1)))
    (if (odd? n) (- -1 half) half)))

(define (uleb128-length n)
  (let loop ((n n) (length 1))
    (if (and (fixnum? n) (fx< n 128))
        length
        (loop (arithmetic-shift n -7) (fx+ length 1)))))

;; Writes n at index `at`, in at least `least` bytes; the result is the index behind it.
(define (uleb128-put! bytes at n least)
  (cond ((and (fixnum? n) (fx< n 128) (fx<= least 1))
         (u8vector-set! bytes at n)
         (fx+ at 1))
        (else
         (u8vector-set! bytes at (fxior 128 (bitwise-and n 127)))
         (uleb128-put! bytes (fx+ at 1) (arithmetic-shift n -7) (fx- least 1)))))

(define (uleb128-bytes n)
  (let ((bytes (make-u8vector (uleb128-length n))))
    (uleb128-put! bytes 0 n 1)
    bytes))

;; Signed LEB128, as DWARF and WebAssembly have it. (Instructions use zig-zag instead.)
(define (sleb128-bytes n)
  (let loop ((n n) (reversed '()))
    (let ((low (bitwise-and n 127))
          (rest (arithmetic-shift n -7)))
      (if (or (and (eqv? rest 0) (fx< low 64))
              (and (eqv? rest -1) (fx>= low 64)))
          (apply u8vector (reverse (cons low reversed)))
          (loop rest (cons (fxior low 128) reversed))))))
