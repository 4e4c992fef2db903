;; What Gambit 4.9.3 lacks and every other library needs. Names and argument orders are those of SRFI 1,
;; 13 and 132 where these have them, so that nothing here has to be learnt.
;;
;;   (use scheme-lib/util)
;;   (sort '(3 1 2) <)              => (1 2 3)
;;   (string-join '("a" "b") ", ")  => "a, b"
;;   (hex 255 4)                    => "00ff"

(module scheme-lib/util)
(declare (block))

;; ---- documentation as data -------------------------------------------------------------------------

(define documents (make-table test: eq?))

;; usage: (name argument …), or the name alone for a value
(define (document! name usage doc)
  (table-set! documents name (cons usage doc)))

(define (documentation name)
  (let ((entry (table-ref documents name #f)))
    (and entry (cdr entry))))

(define (documentation-usage name)
  (let ((entry (table-ref documents name #f)))
    (and entry (car entry))))

(define (documented-names)
  (sort (map car (table->list documents))
        (lambda (a b) (string<? (symbol->string a) (symbol->string b)))))

;; ---- lists -----------------------------------------------------------------------------------------

(define (filter keep? list)
  (let loop ((rest list) (kept '()))
    (cond ((null? rest) (reverse kept))
          ((keep? (car rest)) (loop (cdr rest) (cons (car rest) kept)))
          (else (loop (cdr rest) kept)))))

(define (remove drop? list)
  (filter (lambda (x) (not (drop? x))) list))

(define (partition keep? list)
  (values (filter keep? list) (remove keep? list)))

(define (some-null? lists)
  (and (pair? lists) (or (not (pair? (car lists))) (some-null? (cdr lists)))))

(define (any good? list . more)
  (let loop ((lists (cons list more)))
    (and (not (some-null? lists))
         (or (apply good? (map car lists)) (loop (map cdr lists))))))

(define (every good? list . more)
  (let loop ((lists (cons list more)) (last #t))
    (if (some-null? lists)
        last
        (let ((result (apply good? (map car lists))))
          (and result (loop (map cdr lists) result))))))

(define (find good? list)
  (let loop ((rest list))
    (and (pair? rest) (if (good? (car rest)) (car rest) (loop (cdr rest))))))

(define (list-index good? list)
  (let loop ((rest list) (i 0))
    (and (pair? rest) (if (good? (car rest)) i (loop (cdr rest) (+ i 1))))))

(define (delete x list #!optional (same? equal?))
  (remove (lambda (y) (same? x y)) list))

(define (delete-duplicates list #!optional (same? equal?))
  (let loop ((rest list) (kept '()))
    (cond ((null? rest) (reverse kept))
          ((any (lambda (x) (same? x (car rest))) kept) (loop (cdr rest) kept))
          (else (loop (cdr rest) (cons (car rest) kept))))))

(define (reduce f initial list)
  (if (null? list)
      initial
      (let loop ((rest (cdr list)) (result (car list)))
        (if (null? rest) result (loop (cdr rest) (f (car rest) result))))))

(define (append-map f list . more)
  (let loop ((lists (reverse (apply map f list more))) (result '()))
    (if (null? lists) result (loop (cdr lists) (append (car lists) result)))))

(define (filter-map f list . more)
  (filter (lambda (x) x) (apply map f list more)))

(define (take-at-most list n)
  (if (or (null? list) (<= n 0)) '() (cons (car list) (take-at-most (cdr list) (- n 1)))))

(define (drop-at-most list n)
  (if (or (null? list) (<= n 0)) list (drop-at-most (cdr list) (- n 1))))

(define (take-while good? list)
  (if (and (pair? list) (good? (car list))) (cons (car list) (take-while good? (cdr list))) '()))

(define (drop-while drop? list)
  (if (and (pair? list) (drop? (car list))) (drop-while drop? (cdr list)) list))

;; A stable merge sort. Vectors come back as vectors.
(define (sort sequence less?)
  (let* ((items (if (vector? sequence) sequence (list->vector sequence))) (sorted (vector-copy items)))
    (merge-sort! (vector-copy items) sorted 0 (vector-length items) less?)
    (if (vector? sequence) sorted (vector->list sorted))))

;; Two vectors hold the same from low to high; the second gets it in order there, the first is for what is between.
(define (merge-sort! from to low high less?)
  (if (> (- high low) 1)
      (let ((middle (quotient (+ low high) 2)))
        (merge-sort! to from low middle less?)
        (merge-sort! to from middle high less?)
        (let loop ((a low) (b middle) (at low))
          (cond ((= at high))
                ((or (= b high) (and (< a middle) (not (less? (vector-ref from b) (vector-ref from a)))))
                 (vector-set! to at (vector-ref from a))
                 (loop (+ a 1) b (+ at 1)))
                (else
                 (vector-set! to at (vector-ref from b))
                 (loop a (+ b 1) (+ at 1))))))))

(define (assq-value key associations #!optional (default #f))
  (let ((entry (assq key associations)))
    (if entry (cdr entry) default)))

;; ---- strings ---------------------------------------------------------------------------------------

(define (matcher what)
  (if (char? what) (lambda (c) (char=? c what)) what))

;; The first index where a character is `what` (a character or a predicate), or #f.
(define (string-index string what #!optional (start 0) (end (string-length string)))
  (let ((good? (matcher what)))
    (let loop ((i start))
      (and (< i end) (if (good? (string-ref string i)) i (loop (+ i 1)))))))

(define (string-index-right string what)
  (let ((good? (matcher what)))
    (let loop ((i (- (string-length string) 1)))
      (and (>= i 0) (if (good? (string-ref string i)) i (loop (- i 1)))))))

(define (matches-at? string part i)
  (let ((n (string-length part)))
    (and (<= (+ i n) (string-length string))
         (let loop ((j 0))
           (or (= j n)
               (and (char=? (string-ref string (+ i j)) (string-ref part j)) (loop (+ j 1))))))))

;; Where `part` begins in `string` at or after `start`, or #f.
(define (string-contains string part #!optional (start 0))
  (let ((last (- (string-length string) (string-length part))))
    (let loop ((i start))
      (and (<= i last) (if (matches-at? string part i) i (loop (+ i 1)))))))

(define (string-prefix? prefix string)
  (matches-at? string prefix 0))

(define (string-suffix? suffix string)
  (let ((i (- (string-length string) (string-length suffix))))
    (and (>= i 0) (matches-at? string suffix i))))

;; Between separators (a character, or a predicate), empty parts included: "a,,b" gives "a" "" "b".
(define (string-split string separator)
  (let ((separator? (matcher separator)))
    (let loop ((i (string-length string)) (end (string-length string)) (parts '()))
      (cond ((= i 0) (cons (substring string 0 end) parts))
            ((separator? (string-ref string (- i 1)))
             (loop (- i 1) (- i 1) (cons (substring string i end) parts)))
            (else (loop (- i 1) end parts))))))

;; As (apply string-append strings), but for any number of them: a call takes at most 8192 arguments.
(define (string-concatenate strings)
  (define length
    (let loop ((strings strings) (length 0))
      (if (null? strings) length (loop (cdr strings) (+ length (string-length (car strings)))))))
  (let ((whole (make-string length)))
    (let loop ((strings strings) (at 0))
      (if (null? strings)
          whole
          (let ((length (string-length (car strings))))
            (substring-move! (car strings) 0 length whole at)
            (loop (cdr strings) (+ at length)))))))

(define (string-join strings #!optional (separator " "))
  (if (or (null? strings) (string=? separator ""))
      (string-concatenate strings)
      (string-concatenate
       (cons (car strings)
             (append-map (lambda (string) (list separator string)) (cdr strings))))))

(define (string-trim string)
  (let* ((visible? (lambda (c) (not (char-whitespace? c))))
         (start (string-index string visible?)))
    (if start (substring string start (+ 1 (string-index-right string visible?))) "")))

(define (string-upcase string)
  (string-map char-upcase string))

(define (string-downcase string)
  (string-map char-downcase string))

;; Cut to the right-hand (left-hand) `width` characters when it is longer.
(define (string-pad-left string width #!optional (fill #\space))
  (let ((n (string-length string)))
    (if (>= n width)
        (substring string (- n width) n)
        (string-append (make-string (- width n) fill) string))))

(define (string-pad-right string width #!optional (fill #\space))
  (let ((n (string-length string)))
    (if (>= n width)
        (substring string 0 width)
        (string-append string (make-string (- width n) fill)))))

(define (string-repeat string n)
  (string-concatenate (map (lambda (i) string) (iota n))))

(define (string-replace string part replacement)
  (let loop ((start 0) (parts '()))
    (let ((i (and (positive? (string-length part)) (string-contains string part start))))
      (if i
          (loop (+ i (string-length part)) (cons replacement (cons (substring string start i) parts)))
          (string-concatenate
           (reverse (cons (substring string start (string-length string)) parts)))))))

(define (blank-string? string)
  (not (string-index string (lambda (c) (not (char-whitespace? c))))))

;; Those that move a terminal's cursor, or do worse.
(define (control-character? c)
  (or (char<? c #\space) (and (char>=? c #\x7f) (char<=? c #\x9f))))

;; The same text with U+FFFD for each control character: for what comes from files that may hold anything.
(define (visible-text string)
  (string-map (lambda (c) (if (control-character? c) #\xfffd c)) string))

;; (text "page " 3 " of " 'all) => "page 3 of all": every argument as display shows it.
(define (text . parts)
  (call-with-output-string "" (lambda (port) (for-each (lambda (part) (display part port)) parts))))

(define (written x)
  (call-with-output-string "" (lambda (port) (write x port))))

;; ---- numbers ---------------------------------------------------------------------------------------

(define two^32 (expt 2 32))
(define two^63 (expt 2 63))
(define two^64 (expt 2 64))

;; The low bits of any integer, read as unsigned (u) or signed (s).
(define (u64 n) (if (and (fixnum? n) (>= n 0)) n (modulo n two^64)))
(define (u32 n) (bitwise-and n (- two^32 1)))
(define (s64 n)
  (let ((low (u64 n)))
    (if (< low two^63) low (- low two^64))))
(define (s32 n)
  (let ((low (u32 n)))
    (if (< low (quotient two^32 2)) low (- low two^32))))

;; (hex 255) => "ff", (hex 255 4) => "00ff"; digits are never cut.
(define (hex n #!optional (width 0))
  (let ((digits (number->string n 16)))
    (if (< (string-length digits) width) (string-pad-left digits width #\0) digits)))

(define (number->hex n)
  (if (negative? n) (string-append "-0x" (hex (- n))) (string-append "0x" (hex n))))

;; An address as every listing shows it: at least eight digits.
(define-documented (grouped n)
  "An integer in decimal with its digits in groups of three: 1,234,567."
  (let loop ((digits (number->string n)) (tail ""))
    (let ((length (string-length digits)))
      (if (> length 3)
          (loop (substring digits 0 (- length 3)) (string-append "," (substring digits (- length 3) length) tail))
          (string-append digits tail)))))

(define (hex-address n)
  (string-append "0x" (hex n 8)))

;; ---- bytes -----------------------------------------------------------------------------------------

;; `size` bytes (1 to 8, or more) at index i, little-endian, as an unsigned number.
(define (u8vector-ref-le bytes i size)
  (let loop ((k (- size 1)) (value 0))
    (if (< k 0)
        value
        (loop (- k 1) (+ (* value 256) (u8vector-ref bytes (+ i k)))))))

;; Stores the low bytes of any integer.
(define (u8vector-set-le! bytes i size value)
  (let loop ((k 0) (value value))
    (if (< k size)
        (begin
          (u8vector-set! bytes (+ i k) (bitwise-and value 255))
          (loop (+ k 1) (arithmetic-shift value -8))))))

(define (number->u8vector value size)
  (let ((bytes (make-u8vector size)))
    (u8vector-set-le! bytes 0 size value)
    bytes))

(define (u8vector->number bytes)
  (u8vector-ref-le bytes 0 (u8vector-length bytes)))

;; The u8vectors of a list, one behind the other; takes longer lists than apply does.
(define (u8vector-concatenate parts)
  (let* ((total (fold (lambda (part sum) (+ sum (u8vector-length part))) 0 parts))
         (whole (make-u8vector total)))
    (let loop ((parts parts) (i 0))
      (if (null? parts)
          whole
          (let ((n (u8vector-length (car parts))))
            (subu8vector-move! (car parts) 0 n whole i)
            (loop (cdr parts) (+ i n)))))))

(define (string->utf8 string)
  (call-with-output-u8vector
   (list char-encoding: 'UTF-8 eol-encoding: 'lf)
   (lambda (port) (write-substring string 0 (string-length string) port))))

;; Bytes that are no UTF-8 become U+FFFD.
(define (utf8->string bytes)
  (call-with-output-string
   ""
   (lambda (port)
     (let ((n (u8vector-length bytes)))
       (define (continuation i)
         (and (< i n)
              (let ((byte (u8vector-ref bytes i)))
                (and (= (bitwise-and byte #xC0) #x80) (bitwise-and byte #x3F)))))
       ;; A sequence of `more` continuation bytes whose value is at least `least`, or #f.
       (define (sequence i first more least)
         (let loop ((k 1) (value first))
           (if (> k more)
               (and (>= value least)
                    (<= value #x10FFFF)
                    (not (<= #xD800 value #xDFFF))
                    value)
               (let ((bits (continuation (+ i k))))
                 (and bits (loop (+ k 1) (+ (* value 64) bits)))))))
       (let loop ((i 0))
         (if (< i n)
             (let* ((byte (u8vector-ref bytes i))
                    (more (cond ((< byte #x80) 0) ((<= #xC2 byte #xDF) 1)
                                ((<= #xE0 byte #xEF) 2) ((<= #xF0 byte #xF4) 3) (else #f)))
                    (value (and more
                                (sequence i
                                          (bitwise-and byte (vector-ref '#(#x7F #x1F #x0F #x07) more))
                                          more
                                          (vector-ref '#(0 #x80 #x800 #x10000) more)))))
               (write-char (integer->char (or value #xFFFD)) port)
               (loop (+ i 1 (if value more 0))))))))))

(define (u8vector->hex bytes)
  (string-concatenate (map (lambda (byte) (hex byte 2)) (u8vector->list bytes))))

;; "0a ff" and "0aff" alike.
(define (hex->u8vector string)
  (let* ((digits (string-concatenate (string-split string char-whitespace?)))
         (n (string-length digits)))
    (if (odd? n) (error "hexadecimal bytes need an even number of digits, not" string))
    (let ((bytes (make-u8vector (quotient n 2))))
      (let loop ((i 0))
        (if (= i n)
            bytes
            (let ((byte (string->number (substring digits i (+ i 2)) 16)))
              (if (not (and byte (fixnum? byte) (>= byte 0)))
                  (error "not hexadecimal bytes:" string))
              (u8vector-set! bytes (quotient i 2) byte)
              (loop (+ i 2))))))))

;; The first index at or after `start` that holds `byte`, or #f.
(define (u8vector-index bytes byte #!optional (start 0))
  (let loop ((i start))
    (and (< i (u8vector-length bytes))
         (if (= (u8vector-ref bytes i) byte) i (loop (+ i 1))))))

;; The longest file that is read, in bytes: one with holes may be of any length.
(define file-size-limit (make-parameter (expt 2 31)))

;; What has no size, such as a pipe, may not go on for ever.
(define limit-without-size (expt 2 26))

(define (read-all-bytes port limit)
  (let ((buffer (make-u8vector 65536)))
    (let loop ((parts '()) (length 0))
      (let ((n (read-subu8vector buffer 0 65536 port)))
        (cond ((= n 0) (u8vector-concatenate (reverse parts)))
              ((> (+ length n) limit) (error (text "more than the " limit " bytes that are read at most")))
              (else (loop (cons (subu8vector buffer 0 n) parts) (+ length n))))))))

(define (read-file-bytes path)
  (let* ((regular? (and (file-exists? path) (eq? (file-type path) 'regular)))
         (limit (if regular? (file-size-limit) limit-without-size)))
    (if (and (file-exists? path) (> (file-size path) limit))
        (error (text "longer than the " limit " bytes that are read at most; file-size-limit sets that")))
    (call-with-input-file path
      (lambda (port)
        ;; In one piece as large as the file is, which it may turn out not to be.
        (let* ((start (make-u8vector (if regular? (file-size path) 0)))
               (size (read-subu8vector start 0 (u8vector-length start) port))
               (rest (read-all-bytes port (- limit size))))
          (cond ((> (u8vector-length rest) 0) (u8vector-append (subu8vector start 0 size) rest))
                ((= size (u8vector-length start)) start)
                (else (subu8vector start 0 size))))))))

(define (write-file-bytes path bytes)
  (call-with-output-file path
    (lambda (port) (write-subu8vector bytes 0 (u8vector-length bytes) port))))

(define (read-file-text path)
  (utf8->string (read-file-bytes path)))

(define (write-file-text path string)
  (write-file-bytes path (string->utf8 string)))

;; A path in the folder for temporary files that nothing has yet.
(define (temporary-path prefix)
  (let ((time (inexact->exact (floor (* 1000000 (time->seconds (current-time)))))))
    (let loop ((n time))
      (let ((path (path-expand (text prefix "-" n) (getenv "TMPDIR" "/tmp"))))
        (if (file-exists? path) (loop (+ n 1)) path)))))

;; ---- names that were nearly right ------------------------------------------------------------------

;; Insertions, deletions, replacements and swaps of neighbours that turn one string into the other.
(define (edit-distance a b)
  (let* ((m (string-length a))
         (n (string-length b))
         (rows (make-vector (+ m 1))))
    (define (cost i j) (vector-ref (vector-ref rows i) j))
    (define (swapped? i j)
      (and (> i 1)
           (> j 1)
           (char=? (string-ref a (- i 1)) (string-ref b (- j 2)))
           (char=? (string-ref a (- i 2)) (string-ref b (- j 1)))))
    (define (cell i j)
      (cond ((= i 0) j)
            ((= j 0) i)
            (else
             (let ((plain (min (+ 1 (cost (- i 1) j))
                               (+ 1 (cost i (- j 1)))
                               (+ (cost (- i 1) (- j 1))
                                  (if (char=? (string-ref a (- i 1)) (string-ref b (- j 1))) 0 1)))))
               (if (swapped? i j) (min plain (+ 1 (cost (- i 2) (- j 2)))) plain)))))
    (let row ((i 0))
      (if (<= i m)
          (begin
            (vector-set! rows i (make-vector (+ n 1)))
            (let column ((j 0))
              (if (<= j n)
                  (begin (vector-set! (vector-ref rows i) j (cell i j)) (column (+ j 1)))))
            (row (+ i 1)))))
    (cost m n)))

(define (name->string name)
  (if (symbol? name) (symbol->string name) name))

;; Up to three of the candidates (strings or symbols), the nearest first; none that differ too much, and not
;; the name itself.
(define (closest-names name candidates)
  (let* ((wanted (name->string name))
         (length-wanted (string-length wanted))
         ;; Any letter is near any other: one alone is near nothing but its own other case. What is very long
         ;; was not typed.
         (limit (cond ((< length-wanted 2) 0)
                      ((> length-wanted 60) -1)
                      (else (max 1 (quotient (+ length-wanted 1) 3))))))
    (define (distance candidate)
      (let ((string (name->string candidate)))
        (cond ((string=? string wanted) #f)
              ((> (abs (- (string-length string) length-wanted)) limit) #f)
              (else (let ((d (edit-distance (string-downcase wanted) (string-downcase string))))
                      (and (<= d limit) (cons d candidate)))))))
    (map cdr
         (take-at-most (sort (filter-map distance (not-too-many candidates wanted)) (lambda (a b) (< (car a) (car b))))
                       3))))

;; Of very many candidates, some of those that begin alike: comparing with all of them would take seconds.
(define most-candidates 2000)

(define (not-too-many candidates wanted)
  (define (begins-alike? candidate)
    (let ((string (name->string candidate)))
      (and (> (string-length string) 0)
           (> (string-length wanted) 0)
           (char=? (string-ref string 0) (string-ref wanted 0)))))
  (if (> (length candidates) most-candidates)
      (take-at-most (filter begins-alike? candidates) most-candidates)
      candidates))

;; " (did you mean `mov` or `move`?)", or "" when nothing is near: made to end an error message.
(define (did-you-mean name candidates)
  (let ((near (closest-names name candidates)))
    (if (null? near)
        ""
        (text " (did you mean "
              (string-join (map (lambda (candidate) (text "`" candidate "`")) near) " or ")
              "?)"))))

;; ---- output and errors -----------------------------------------------------------------------------

;; What `thunk` writes to the current output port, as a string.
(define (with-captured-output thunk)
  (call-with-output-string
   ""
   (lambda (port) (parameterize ((current-output-port port)) (thunk)))))

;; How exceptions of a library's own type are told: (predicate . text of it) …
(define exception-texts '())

(define (exception-text! exception? exception->string)
  (set! exception-texts (cons (cons exception? exception->string) exception-texts)))

;; An exception in one line, or, where its library has more to say, in several.
(define (exception->text exception)
  (let ((own (find (lambda (entry) ((car entry) exception)) exception-texts)))
    (if own
        ((cdr own) exception)
        (or (arguments-text exception) (displayed-exception exception)))))

;; How a documented procedure that got a wrong number of arguments is called; #f for all else.
(define (arguments-text exception)
  (and (wrong-number-of-arguments-exception? exception)
       (let* ((procedure (wrong-number-of-arguments-exception-procedure exception))
              (given (length (wrong-number-of-arguments-exception-arguments exception)))
              (name (and (procedure? procedure) (##procedure-name procedure)))
              (short (and (symbol? name) (last-part (symbol->string name))))
              (usage (and short (documentation-usage (string->symbol short)))))
         (and usage
              (text "`" short "` got " given " argument" (if (= given 1) "" "s")
                    "; it is called as " (written usage))))))

(define (last-part name)
  (let ((separator (string-index-right name #\#)))
    (if separator (substring name (+ separator 1) (string-length name)) name)))

(define (displayed-exception exception)
  (let ((lines (string-split
                (call-with-output-string "" (lambda (port) (display-exception exception port)))
                #\newline)))
    (string-join (filter (lambda (line) (not (blank-string? line))) (map string-trim lines)) " ")))

(define (display-error exception #!optional (port (current-error-port)))
  (display (text "error: " (exception->text exception) "\n") port))

;; A closed pipe (… | head) surfaces as an os-exception of a write; it is the end, not a mistake.
(define (closed-output? exception)
  (and (os-exception? exception)
       (memq (os-exception-procedure exception)
             (list force-output display write write-char write-string write-u8 write-subu8vector
                   write-substring newline pretty-print println print))
       #t))

;; Runs `thunk`, then exits: 0, or 1 with the error in one line. Owns the top level because without a
;; terminal Gambit's own handler loses the message and gives status 0.
(define (call-with-clean-exit thunk)
  (with-exception-catcher
   (lambda (exception)
     (with-exception-catcher
      (lambda (ignored) (##exit-with-err-code-no-cleanup 1))
      (lambda ()
        (if (not (closed-output? exception)) (display-error exception))
        (force-output (current-error-port))
        (exit 1))))
   (lambda ()
     (thunk)
     (force-output (current-output-port))
     (exit 0))))
