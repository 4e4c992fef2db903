;; The lines that most of a long source consists of: an instruction of registers and whole numbers. What they are made
;; of is read and encoded in one go; everything else, and every mistake, is left to the reader.
;;
;;   (plain-instruction plain "add r1, r2, r3\n" 0)   => #t, and then
;;   (plain-bytes plain) (plain-size plain)           the instruction: so many bytes of a u8vector
;;   (plain-end plain)                                the index of the newline
;;
;; The text ends with a newline, at which every loop here ends.
(module asm/plain)
(use asm/isa)
(use asm/scanner)
(declare (standard-bindings) (extended-bindings) (block) (fixnum) (not safe))

(define-type plain
  constructor: construct
  fields      ; a vector: of the line that is being read
  bytes
  (size)
  (end))

(define (make-plain)
  (construct (make-vector 8 0) (make-u8vector 64) 0 0))

(define-macro (blank? c) `(let ((c ,c)) (or (char=? c #\space) (char=? c #\tab))))
(define-macro (ends-operand? c)
  `(let ((c ,c))
     (or (char=? c #\newline) (char=? c #\,) (char=? c #\space) (char=? c #\tab) (char=? c #\;))))
(define-macro (digit c) `(let ((d (- (char->integer ,c) 48))) (if (and (>= d 0) (<= d 9)) d 99)))

(define (skip-blanks text i)
  (if (blank? (string-ref text i)) (skip-blanks text (+ i 1)) i))

(define (word-end text i)
  (if (name-char? (string-ref text i)) (word-end text (+ i 1)) i))

;; Larger ones are for the reader: what fits here is a fixnum, doubled or not.
(define largest 281474976710656)
(define largest-register 65536)

;; Whether there is such an instruction at an index where a name begins.
(define (plain-instruction plain text start)
  (let* ((behind (word-end text start))
         (entry (and (blank? (string-ref text behind)) (isa-find-range text start behind))))
    (and entry
         (let* ((kinds (isa-entry-kinds entry))
                (count (string-length kinds))
                (end (operands plain text behind kinds count)))
           (and (>= end 0)
                (begin
                  (encode! plain entry count)
                  (plain-end-set! plain end)
                  #t))))))

;; Puts the fields into the vector; the index of the line's end, or -1.
(define (operands plain text start kinds count)
  (let loop ((n 0) (i start))
    (let ((i (skip-blanks text i)))
      (if (= n count)
          (line-end text i)
          (let* ((i (if (and (> n 0) (char=? (string-ref text i) #\,)) (skip-blanks text (+ i 1)) i))
                 (kind (string-ref kinds n))
                 (behind (case kind
                           ((#\d #\s #\x #\w) (register plain n text i))
                           ((#\i #\o) (number plain n text i #t))
                           ((#\u #\c) (number plain n text i #f))
                           (else -1))))
            (if (and (>= behind 0) (ends-operand? (string-ref text behind)))
                (loop (+ n 1) behind)
                -1))))))

(define (line-end text i)
  (let ((c (string-ref text i)))
    (cond ((char=? c #\newline) i)
          ((char=? c #\;) (newline-from text i))
          (else -1))))

(define (newline-from text i)
  (if (char=? (string-ref text i) #\newline) i (newline-from text (+ i 1))))

(define (register plain n text i)
  (if (and (char=? (string-ref text i) #\r)
           (< (digit (string-ref text (+ i 1))) 10)
           (or (not (char=? (string-ref text (+ i 1)) #\0)) (ends-operand? (string-ref text (+ i 2)))))
      (let ((behind (decimal plain n text (+ i 1))))
        (if (and (>= behind 0) (< (vector-ref (plain-fields plain) n) largest-register)) behind -1))
      -1))

;; signed?: it is encoded as zig-zag.
(define (number plain n text i signed?)
  (let* ((negative? (char=? (string-ref text i) #\-))
         (at (if negative? (+ i 1) i)))
    (if (and negative? (not signed?))
        -1
        (let ((behind (if (and (char=? (string-ref text at) #\0) (char=? (string-ref text (+ at 1)) #\x))
                          (hexadecimal plain n text (+ at 2))
                          (decimal plain n text at))))
          (if (and (>= behind 0) signed?)
              (let ((value (vector-ref (plain-fields plain) n)))
                (vector-set! (plain-fields plain) n
                             (if (and negative? (> value 0)) (- (* 2 value) 1) (* 2 value)))))
          behind))))

;; The index behind the digits, or -1 where there are none or too many.
(define (decimal plain n text start)
  (let loop ((i start) (value 0))
    (let ((d (digit (string-ref text i))))
      (cond ((= d 99)
             (vector-set! (plain-fields plain) n value)
             (if (= i start) -1 i))
            ((> value largest) -1)
            (else (loop (+ i 1) (+ (* 10 value) d)))))))

(define (hexadecimal plain n text start)
  (let loop ((i start) (value 0))
    (let* ((code (char->integer (string-ref text i)))
           (d (cond ((and (>= code 48) (<= code 57)) (- code 48))
                    ((and (>= code 97) (<= code 102)) (- code 87))
                    ((and (>= code 65) (<= code 70)) (- code 55))
                    (else 99))))
      (cond ((= d 99)
             (vector-set! (plain-fields plain) n value)
             (if (= i start) -1 i))
            ((> value largest) -1)
            (else (loop (+ i 1) (+ (* 16 value) d)))))))

;; ---- bytes -------------------------------------------------------------------------------------------

(define (encode! plain entry count)
  (let* ((fields (plain-fields plain))
         (bytes (plain-bytes plain))
         (opcode (isa-entry-opcode-bytes entry))
         (start (u8vector-length opcode)))
    (u8vector-set! bytes 0 (u8vector-ref opcode 0))
    (if (> start 1) (subu8vector-move! opcode 1 start bytes 1))
    (let next ((n 0) (at start))
      (if (= n count)
          (plain-size-set! plain at)
          (let put ((value (vector-ref fields n)) (at at))
            (if (< value 128)
                (begin
                  (u8vector-set! bytes at value)
                  (next (+ n 1) (+ at 1)))
                (begin
                  (u8vector-set! bytes at (bitwise-ior 128 (bitwise-and value 127)))
                  (put (arithmetic-shift value -7) (+ at 1)))))))))
