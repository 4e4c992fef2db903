;; What text formats of memory contents (Intel HEX, Motorola S-records) have in common: lines of hexadecimal bytes
;; with a sum to check, which say what stands at which address. What they hold becomes an image of one section for
;; each run of bytes without a gap; who may do what there they do not know, so everything is allowed.

(module scheme-lib/loaders/records)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/loaders/loader)
(declare (standard-bindings) (extended-bindings) (block))

;; ---- lines -------------------------------------------------------------------------------------------

;; Whether the first byte that is no blank is a certain one, with so many hexadecimal digits behind it.
(define (begins-with-record? bytes mark digits)
  (let loop ((i 0))
    (and (< (+ i digits) (u8vector-length bytes))
         (let ((byte (u8vector-ref bytes i)))
           (cond ((memv byte '(9 10 13 32)) (loop (+ i 1)))
                 ((= byte mark) (every (lambda (n) (hex-digit (u8vector-ref bytes (+ i n)))) (iota digits 1)))
                 (else #f))))))

;; Does (action line start end) for each line of a text in bytes that is not blank, without what ends it.
(define (record-lines bytes action)
  (let ((length (u8vector-length bytes)))
    (let loop ((line 1) (start 0))
      (if (< start length)
          (let* ((newline (or (u8vector-index bytes 10 start) length))
                 (end (without-blanks bytes start newline)))
            (if (> end start) (action line start end))
            (loop (+ line 1) (+ newline 1)))))))

(define (without-blanks bytes start end)
  (if (and (> end start) (memv (u8vector-ref bytes (- end 1)) '(9 13 32)))
      (without-blanks bytes start (- end 1))
      end))

(define (hex-digit byte)
  (cond ((<= 48 byte 57) (- byte 48))
        ((<= 65 byte 70) (- byte 55))
        ((<= 97 byte 102) (- byte 87))
        (else #f)))

;; The byte that two digits at an index of a line are; errors name the place of the digit that is none.
(define (hex-byte bytes at end path line start)
  (define (digit at)
    (if (>= at end) (fail-at path line (+ 1 (- at start)) "the record ends here, within a byte or before all of it"))
    (or (hex-digit (u8vector-ref bytes at))
        (fail-at path line (+ 1 (- at start)) "expected a hexadecimal digit, found "
                 (let ((byte (u8vector-ref bytes at)))
                   (if (< 32 byte 127) (text "`" (integer->char byte) "`") (text "byte " byte))))))
  (let ((high (digit at))) (+ (* 16 high) (digit (+ at 1)))))

;; All bytes of a line from an index on.
(define (hex-bytes bytes from end path line start)
  (let* ((count (quotient (+ 1 (- end from)) 2)) (result (make-u8vector count)))
    (let loop ((i 0))
      (if (= i count)
          result
          (begin
            (u8vector-set! result i (hex-byte bytes (+ from (* 2 i)) end path line start))
            (loop (+ i 1)))))))

;; The number that so many bytes from an index on are, the highest first.
(define (big-endian bytes from count)
  (let loop ((i 0) (value 0))
    (if (= i count) value (loop (+ i 1) (+ (* 256 value) (u8vector-ref bytes (+ from i)))))))

;; The sum of all bytes, modulo 256, but the last so many.
(define (check-sum record without)
  (let loop ((i (- (u8vector-length record) without 1)) (sum 0))
    (if (< i 0) (bitwise-and sum 255) (loop (- i 1) (+ sum (u8vector-ref record i))))))

;; ---- what they hold ------------------------------------------------------------------------------------

(define-type contents
  constructor: construct-contents
  path
  pieces) ; (address line . bytes), the newest first

(define (make-contents path) (construct-contents path '()))

(define (contents-add! contents address line bytes)
  (if (> (u8vector-length bytes) 0)
      (contents-pieces-set! contents (cons (cons address (cons line bytes)) (contents-pieces contents)))))

(define piece-address car)
(define piece-line cadr)
(define piece-bytes cddr)
(define (piece-end piece) (+ (piece-address piece) (u8vector-length (piece-bytes piece))))

;; Pieces by address, those that touch in one list. No byte is given twice.
(define (runs contents)
  (let loop ((pieces (sort (contents-pieces contents) (lambda (x y) (< (piece-address x) (piece-address y)))))
             (run '()) (runs '()))
    (define (finish) (if (null? run) runs (cons (reverse run) runs)))
    (cond ((null? pieces) (reverse (finish)))
          ((or (null? run) (< (piece-end (car run)) (piece-address (car pieces))))
           (loop (cdr pieces) (list (car pieces)) (finish)))
          ((> (piece-end (car run)) (piece-address (car pieces)))
           (fail-at (contents-path contents) (max (piece-line (car run)) (piece-line (car pieces))) 0
                    "what stands at " (hex-address (piece-address (car pieces))) " was given already, in line "
                    (min (piece-line (car run)) (piece-line (car pieces)))))
          (else (loop (cdr pieces) (cons (car pieces) run) runs)))))

;; entry #f: the lowest address.
(define (contents->image contents entry)
  (let ((runs (runs contents)))
    (if (null? runs) (fail-at (contents-path contents) 0 0 "there is no data in it"))
    (make-image
     entry: (or entry (piece-address (caar runs)))
     sections: (map (lambda (run)
                      (vector "memory" (piece-address (car run)) (u8vector-concatenate (map piece-bytes run))
                              #f read-write-execute))
                    runs))))

;; ---- writing -----------------------------------------------------------------------------------------------

(define (section-bytes section)
  (let* ((content (vector-ref section 2)) (bytes (make-u8vector (vector-ref section 3) 0)))
    (subu8vector-move! content 0 (u8vector-length content) bytes 0)
    bytes))

;; What an image puts into memory, zeros included, in pieces of at most `longest` bytes: pairs of an address and
;; bytes. Addresses end below `limit`.
(define (image-runs image longest limit)
  (append-map
   (lambda (section)
     (let* ((address (vector-ref section 1)) (bytes (section-bytes section)) (length (u8vector-length bytes)))
       (if (> (+ address length) limit)
           (error (text "the section " (vector-ref section 0) " ends at " (hex-address (+ address length))
                        "; addresses of this format end at " (hex-address limit))))
       (let loop ((at 0) (pieces '()))
         (if (>= at length)
             (reverse pieces)
             (loop (+ at longest)
                   (cons (cons (+ address at) (subu8vector bytes at (min length (+ at longest)))) pieces))))))
   (image-sections image)))
