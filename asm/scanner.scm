;; From characters to numbers, strings and extents; nothing here knows what a statement is. Positions are
;; indices into the text, which ends with a newline.
(module asm/scanner)
(use scheme-lib/util)
(use asm/statement)
(declare (standard-bindings) (extended-bindings) (block))

;; Raised where text is malformed; the reader makes a place of the offset.
(define-type bad-text offset message)

(define (bad offset . parts)
  (raise (make-bad-text offset (apply text parts))))

;; ---- bytes to characters -----------------------------------------------------------------------------

;; The text of UTF-8 bytes; raises bad-text (whose offset is one of bytes) at the first that are none.
(define (decode-utf8 bytes)
  (or (decode-ascii bytes) (decode-any bytes)))

;; #f where a byte is beyond ASCII.
(define (decode-ascii bytes)
  (declare (not safe))
  (let* ((size (u8vector-length bytes))
         (result (make-string size)))
    (let loop ((i 0))
      (if (fx= i size)
          result
          (let ((byte (u8vector-ref bytes i)))
            (and (fx< byte 128)
                 (begin
                   (string-set! result i (integer->char byte))
                   (loop (fx+ i 1)))))))))

(define (decode-any bytes)
  (let* ((size (u8vector-length bytes))
         (result (make-string size)))
    (define (continuation i)
      (let ((byte (if (fx< i size) (u8vector-ref bytes i) 0)))
        (and (fx= (fxand byte #xc0) #x80) (fxand byte #x3f))))
    (define (malformed i)
      (bad i "the byte 0x" (hex (u8vector-ref bytes i) 2)
           " is not part of UTF-8 text: save the file as UTF-8"))
    (define (sequence i first more least)
      (let loop ((k 1) (value first))
        (if (fx> k more)
            (if (or (fx< value least) (fx> value #x10ffff) (and (fx>= value #xd800) (fx<= value #xdfff)))
                (malformed i)
                value)
            (let ((bits (continuation (fx+ i k))))
              (if bits (loop (fx+ k 1) (fx+ (fx* value 64) bits)) (malformed i))))))
    (let loop ((i 0) (j 0))
      (if (fx= i size)
          (begin (string-shrink! result j) result)
          (let ((byte (u8vector-ref bytes i)))
            (define (put value more)
              (string-set! result j (integer->char value))
              (loop (fx+ i more 1) (fx+ j 1)))
            (cond ((fx< byte #x80) (put byte 0))
                  ((fx< byte #xc2) (malformed i))
                  ((fx< byte #xe0) (put (sequence i (fxand byte #x1f) 1 #x80) 1))
                  ((fx< byte #xf0) (put (sequence i (fxand byte #x0f) 2 #x800) 2))
                  ((fx< byte #xf5) (put (sequence i (fxand byte #x07) 3 #x10000) 3))
                  (else (malformed i))))))))

;; ---- names -------------------------------------------------------------------------------------------

(define name-chars
  (let ((table (make-vector 128 #f)))
    (define (allow! from to)
      (do ((i (char->integer from) (+ i 1)))
          ((> i (char->integer to)))
        (vector-set! table i #t)))
    (allow! #\a #\z)
    (allow! #\A #\Z)
    (allow! #\0 #\9)
    (for-each (lambda (c) (allow! c c)) (string->list "_.$%@?!-+<>=*/~&^"))
    table))

;; ---- numbers -----------------------------------------------------------------------------------------

(define (digit-value c)
  (cond ((and (char>=? c #\0) (char<=? c #\9)) (fx- (char->integer c) 48))
        ((and (char>=? c #\a) (char<=? c #\z)) (fx- (char->integer c) 87))
        ((and (char>=? c #\A) (char<=? c #\Z)) (fx- (char->integer c) 55))
        (else 99)))

(define (decimal? c)
  (and (char>=? c #\0) (char<=? c #\9)))

;; The number that begins at index `start` (with a digit, a point, or a sign before one). `done` gets the
;; number and the index behind it.
(define (parse-number string start done)
  (let* ((negative? (char=? (string-ref string start) #\-))
         (first (if (or negative? (char=? (string-ref string start) #\+)) (fx+ start 1) start)))
    (define (signed n)
      (if negative? (- n) n))
    ;; Most numbers are a few decimal digits.
    (let loop ((i first) (n 0))
      (let ((c (string-ref string i)))
        (cond ((and (decimal? c) (fx< (fx- i first) 17))
               (loop (fx+ i 1) (fx+ (fx* n 10) (fx- (char->integer c) 48))))
              ((and (not (name-char? c)) (fx> i first))
               (done (signed n) i))
              (else
               (let ((end (number-end string first)))
                 (done (parse-token (substring string first end) negative? start) end))))))))

;; A token goes on through name characters; a sign belongs to it behind the e of an exponent.
(define (number-end string first)
  (let ((hexadecimal? (and (char=? (string-ref string first) #\0)
                           (memv (string-ref string (fx+ first 1)) '(#\x #\X)))))
    (let loop ((i first))
      (let ((c (string-ref string i)))
        (cond ((or (char=? c #\+) (char=? c #\-))
               (if (and (not hexadecimal?)
                        (fx> i first)
                        (memv (string-ref string (fx- i 1)) '(#\e #\E))
                        (decimal? (string-ref string (fx+ i 1))))
                   (loop (fx+ i 1))
                   i))
              ((name-char? c) (loop (fx+ i 1)))
              (else i))))))

(define (parse-token token negative? offset)
  (define (malformed why)
    (bad offset "malformed number `" (if negative? "-" "") token "`: " why))
  (define (prefixed base words)
    (let ((n (digits->integer token 2 base)))
      (if n (if negative? (- n) n) (malformed (text "expected " words " behind " (substring token 0 2))))))
  (cond ((> (string-length token) 400)
         (bad offset "a number of " (string-length token) " characters: nothing here holds that many"))
        ((string-prefix? "0x" token) (prefixed 16 "digits 0-9 and a-f"))
        ((string-prefix? "0X" token) (prefixed 16 "digits 0-9 and a-f"))
        ((string-prefix? "0o" token) (prefixed 8 "digits 0-7"))
        ((string-prefix? "0b" token) (prefixed 2 "digits 0 and 1"))
        ((digits->integer token 0 10) => (lambda (n) (if negative? (- n) n)))
        ((decimal-fraction token malformed)
         => (lambda (value)
              (make-real (cond ((not negative?) value)
                               ((zero? value) -0.)
                               (else (- value)))
                         (string-append (if negative? "-" "") token))))
        (else (malformed "expected decimal digits, 0x, 0o or 0b, or a real number such as 2.5e-3"))))

;; Digits of a base from index `start`, `_` allowed between two of them; #f when the token is anything else.
(define (digits->integer token start base)
  (let ((end (string-length token)))
    (let loop ((i start) (n 0) (digit-before? #f))
      (if (fx= i end)
          (and digit-before? n)
          (let ((c (string-ref token i)))
            (cond ((fx< (digit-value c) base) (loop (fx+ i 1) (+ (* n base) (digit-value c)) #t))
                  ((and digit-before? (char=? c #\_)) (loop (fx+ i 1) n #f))
                  (else #f)))))))

;; digits [. digits] [e [sign] digits], exact; #f when the token is something else.
(define (decimal-fraction token malformed)
  (let* ((e (or (string-index token (lambda (c) (memv c '(#\e #\E)))) (string-length token)))
         (mantissa (substring token 0 e))
         (exponent (if (= e (string-length token)) "0" (substring token (+ e 1) (string-length token))))
         (point (or (string-index mantissa #\.) (string-length mantissa)))
         (whole (substring mantissa 0 point))
         (fraction (if (= point (string-length mantissa))
                       ""
                       (substring mantissa (+ point 1) (string-length mantissa))))
         (exponent-sign (and (> (string-length exponent) 0) (memv (string-ref exponent 0) '(#\+ #\-))))
         (power (digits->integer exponent (if exponent-sign 1 0) 10))
         (digits (without-underscores (string-append whole fraction))))
    (and power
         digits
         (if (> power 5000)
             (malformed "the exponent is beyond every format")
             (* (string->number digits)
                (expt 10 (- (if (eqv? (string-ref exponent 0) #\-) (- power) power)
                            (string-length (or (without-underscores fraction) "")))))))))

(define (without-underscores digits)
  (and (digits->integer digits 0 10)
       (list->string (filter (lambda (c) (not (char=? c #\_))) (string->list digits)))))

;; ---- quoted text -------------------------------------------------------------------------------------

(define simple-escapes
  '((#\n . 10) (#\t . 9) (#\r . 13) (#\0 . 0) (#\a . 7) (#\b . 8) (#\e . 27) (#\f . 12) (#\v . 11)
    (#\\ . 92) (#\' . 39) (#\" . 34)))

(define (octal? c)
  (and (char>=? c #\0) (char<=? c #\7)))

;; The text between quotes that begins at index `start`. `done` gets a list of what stands there, and the
;; index behind the closing quote: a character for one that was written, or a number for an escape (a byte).
(define (parse-quoted string start done)
  (let ((closing (string-ref string start))
        (kind (if (char=? (string-ref string start) #\") "string" "character literal")))
    (define (escape i items)
      (let ((c (string-ref string i)))
        (cond ((octal? c)
               (let loop ((j i) (n 0))
                 (if (and (fx< j (fx+ i 3)) (octal? (string-ref string j)))
                     (loop (fx+ j 1) (fx+ (fx* n 8) (digit-value (string-ref string j))))
                     (if (fx> n 255)
                         (bad (fx- i 1) "the escape \\" (substring string i j) " is more than a byte")
                         (loop-items j (cons n items))))))
              ((assv c simple-escapes)
               => (lambda (entry) (loop-items (fx+ i 1) (cons (cdr entry) items))))
              ((char=? c #\x)
               (let ((high (digit-value (string-ref string (fx+ i 1)))))
                 (if (fx>= high 16) (bad (fx- i 1) "expected hexadecimal digits behind \\x"))
                 (let ((low (digit-value (string-ref string (fx+ i 2)))))
                   (if (fx< low 16)
                       (loop-items (fx+ i 3) (cons (fx+ (fx* 16 high) low) items))
                       (loop-items (fx+ i 2) (cons high items))))))
              ((char=? c #\newline) (unterminated))
              (else
               (bad (fx- i 1) "unknown escape `\\" c "`: known are \\n \\t \\r \\0 \\a \\b \\e \\f \\v \\\\ "
                    "\\' \\\" \\xHH and up to three octal digits")))))
    (define (unterminated)
      (bad start "the " kind " has no end: expected " closing " before the end of the line"))
    (define (loop-items i items)
      (let ((c (string-ref string i)))
        (cond ((char=? c closing) (done (reverse items) (fx+ i 1)))
              ((char=? c #\\) (escape (fx+ i 1) items))
              ((char=? c #\newline) (unterminated))
              (else (loop-items (fx+ i 1) (cons c items))))))
    (loop-items (fx+ start 1) '())))

;; ---- the extent of a Scheme form ---------------------------------------------------------------------

;; The index behind the form that opens at `start`, or #f when the text ends before it does. Parentheses
;; in strings, characters, comments and |symbols| do not count.
(define (form-end string start)
  (let ((end (string-length string)))
    (define (char-at i)
      (if (fx< i end) (string-ref string i) #\nul))
    (define (behind-quoted i closing)
      (let loop ((i i))
        (cond ((fx>= i end) #f)
              ((char=? (string-ref string i) #\\) (loop (fx+ i 2)))
              ((char=? (string-ref string i) closing) (fx+ i 1))
              (else (loop (fx+ i 1))))))
    (define (behind-line i)
      (if (or (fx>= i end) (char=? (string-ref string i) #\newline)) i (behind-line (fx+ i 1))))
    (define (behind-block i depth)
      (cond ((fx>= i end) #f)
            ((and (char=? (string-ref string i) #\|) (char=? (char-at (fx+ i 1)) #\#))
             (if (fx= depth 1) (fx+ i 2) (behind-block (fx+ i 2) (fx- depth 1))))
            ((and (char=? (string-ref string i) #\#) (char=? (char-at (fx+ i 1)) #\|))
             (behind-block (fx+ i 2) (fx+ depth 1)))
            (else (behind-block (fx+ i 1) depth))))
    (let loop ((i start) (depth 0))
      (and i
           (fx< i end)
           (let ((c (string-ref string i)))
             (cond ((memv c '(#\( #\[ #\{)) (loop (fx+ i 1) (fx+ depth 1)))
                   ((memv c '(#\) #\] #\}))
                    (if (fx= depth 1) (fx+ i 1) (loop (fx+ i 1) (fx- depth 1))))
                   ((char=? c #\")
                    (let ((behind (behind-quoted (fx+ i 1) #\")))
                      (if behind
                          (loop behind depth)
                          (bad i "the string in this Scheme form has no end: expected \""))))
                   ((char=? c #\|) (loop (behind-quoted (fx+ i 1) #\|) depth))
                   ((char=? c #\;) (loop (behind-line i) depth))
                   ((and (char=? c #\#) (char=? (char-at (fx+ i 1)) #\|))
                    (loop (behind-block (fx+ i 2) 1) depth))
                   ((and (char=? c #\#) (char=? (char-at (fx+ i 1)) #\\)) (loop (fx+ i 3) depth))
                   (else (loop (fx+ i 1) depth))))))))
