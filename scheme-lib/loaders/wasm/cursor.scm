;; A cursor goes through bytes from one offset to another and refuses to go further. Numbers are LEB128 of at
;; most as many bytes as their width needs, and a last byte without bits beyond it.
(module scheme-lib/loaders/wasm/cursor)
(use scheme-lib/util)
(use scheme-lib/fields)
(use scheme-lib/loaders/wasm/errors)
(declare (standard-bindings) (extended-bindings) (block) (inlining-limit 300))

(define (make-cursor bytes at end) (vector bytes at end))

(define (cursor-left c) (- (cursor-end c) (cursor-at c)))

(define (read-byte! c)
  (let ((at (cursor-at c)))
    (if (>= at (cursor-end c)) (malformed at "unexpected end"))
    (cursor-at-set! c (+ at 1))
    (u8vector-ref (cursor-bytes c) at)))

;; Goes behind `count` bytes.
(define (skip-bytes! c count)
  (if (> count (cursor-left c)) (malformed (cursor-at c) "unexpected end: length out of bounds"))
  (cursor-at-set! c (+ (cursor-at c) count)))

;; A cursor over the next `count` bytes; this one goes behind them.
(define (cursor-part c count)
  (let ((at (cursor-at c)))
    (skip-bytes! c count)
    (make-cursor (cursor-bytes c) at (cursor-at c))))

(define (read-u32! c)
  (let ((first (read-byte! c)))
    (if (< first 128) first (read-more-u32! c (- first 128) 7))))

(define (read-more-u32! c value shift)
  (let ((byte (read-byte! c)))
    (if (= shift 28)
        (begin
          (if (> byte 127) (malformed (- (cursor-at c) 1) "integer representation too long"))
          (if (> byte 15) (malformed (- (cursor-at c) 1) "integer too large"))
          (+ value (* byte 268435456)))
        (let ((value (+ value (arithmetic-shift (bitwise-and byte 127) shift))))
          (if (< byte 128) value (read-more-u32! c value (+ shift 7)))))))

;; A signed number of `width` bits.
(define (read-signed! c width)
  (let loop ((value 0) (shift 0))
    (let* ((byte (read-byte! c))
           (bits (bitwise-and byte 127))
           (left (- width shift)))                       ; how many bits are still to come
      (if (<= left 7)
          (let ((spare (arithmetic-shift (if (> bits 63) (- bits 128) bits) (- (- left 1)))))
            (if (> byte 127) (malformed (- (cursor-at c) 1) "integer representation too long"))
            (if (not (or (= spare 0) (= spare -1))) (malformed (- (cursor-at c) 1) "integer too large"))
            (+ value (arithmetic-shift (if (> bits 63) (- bits 128) bits) shift)))
          (let ((value (+ value (arithmetic-shift bits shift))))
            (cond ((> byte 127) (loop value (+ shift 7)))
                  ((> bits 63) (- value (arithmetic-shift 128 shift)))
                  (else value)))))))

(define (read-short! c width)
  (let* ((at (cursor-at c))
         (byte (if (< at (cursor-end c)) (u8vector-ref (cursor-bytes c) at) 128)))
    (cond ((> byte 127) (read-signed! c width))
          (else (cursor-at-set! c (+ at 1))
                (if (> byte 63) (- byte 128) byte)))))

(define (read-s32! c) (read-short! c 32))
(define (read-s33! c) (read-short! c 33))
(define (read-s64! c) (read-short! c 64))

;; `count` bytes as a little-endian number.
(define (read-bits! c count)
  (let ((at (cursor-at c)))
    (skip-bytes! c count)
    (u8vector-ref-le (cursor-bytes c) at count)))

;; A byte that must be 0.
(define (read-zero! c)
  (if (not (= 0 (read-byte! c))) (malformed (- (cursor-at c) 1) "zero byte expected")))

;; ---- names -------------------------------------------------------------------------------------------

;; The length of the character of well-formed UTF-8 that begins at `at`, or #f.
(define (character-length bytes at end)
  (define (continues? k low high)
    (and (< (+ at k) end) (<= low (u8vector-ref bytes (+ at k)) high)))
  (let ((first (u8vector-ref bytes at)))
    (cond ((< first #x80) 1)
          ((< first #xc2) #f)
          ((< first #xe0) (and (continues? 1 #x80 #xbf) 2))
          ((< first #xf0)
           (and (continues? 1 (if (= first #xe0) #xa0 #x80) (if (= first #xed) #x9f #xbf)) (continues? 2 #x80 #xbf) 3))
          ((< first #xf5)
           (and (continues? 1 (if (= first #xf0) #x90 #x80) (if (= first #xf4) #x8f #xbf))
                (continues? 2 #x80 #xbf) (continues? 3 #x80 #xbf) 4))
          (else #f))))

(define (read-name! c)
  (let* ((length (read-u32! c))
         (part (cursor-part c length))
         (bytes (cursor-bytes c)))
    (let loop ((at (cursor-at part)))
      (if (< at (cursor-end part))
          (loop (+ at (or (character-length bytes at (cursor-end part)) (malformed at "malformed UTF-8 encoding"))))))
    (utf8->string (subu8vector bytes (cursor-at part) (cursor-end part)))))
