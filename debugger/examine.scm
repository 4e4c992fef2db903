;; Memory and numbers in many formats. The formats are a table: name, size of a unit in bytes, units on a
;; line, and how one unit is written; define-format! adds one.
;;
;;   (define-format! "grade" 2 8 (lambda (number) (number->string number)))
;;   (examine! "table" 4 "grade")

(module debugger/examine)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/value)
(use debugger/views)
(use scheme-lib/view)
(use debugger/show)

(define-type format
  constructor: make-format
  name size per-line write)

(define formats '())

;; write: the unit's unsigned little-endian number -> text
(define (define-format! name size per-line write)
  (set! formats (append (remove (lambda (format) (string=? (format-name format) name)) formats)
                        (list (make-format name size per-line write)))))

(define (signed number size)
  (if (< number (expt 2 (- (* 8 size) 1))) number (- number (expt 2 (* 8 size)))))

(define (padded-hex size) (lambda (number) (hex number (* 2 size))))

(define (character-text number)
  (if (< 31 number 127) (text "'" (integer->char number) "'") (text "'\\x" (hex number 2) "'")))

(define (real-text significand-bits exponent-bits)
  (lambda (number) (number->string (bits->real number significand-bits exponent-bits))))

(define-format! "half" 2 8 (padded-hex 2))
(define-format! "word" 4 4 (padded-hex 4))
(define-format! "quad" 8 2 (padded-hex 8))
(define-format! "hex" 8 2 number->hex)
(define-format! "decimal" 8 2 (lambda (number) (number->string (signed number 8))))
(define-format! "unsigned" 8 2 number->string)
(define-format! "octal" 8 2 (lambda (number) (text "0o" (number->string number 8))))
(define-format! "binary" 8 1 (lambda (number) (text "0b" (number->string number 2))))
(define-format! "f64" 8 2 (real-text 52 11))
(define-format! "f32" 4 4 (real-text 23 8))
(define-format! "char" 1 8 character-text)
(define-format! "address" 8 1 (lambda (number) (text (hex-address number) "  " (address-text number))))

;; These lie over whole stretches of memory, not over units of it.
(define layouts '("bytes" "string" "instructions"))

(define (format-names) (append layouts (map format-name formats)))

(define (format-named name) (find (lambda (format) (string=? (format-name format) name)) formats))

(define (format-value name value)
  (let ((format (format-named name)))
    (cond ((not format) (raise-user-error "`" name "` is a format of examine, not of a single value"))
          ((not (and (integer? value) (exact? value)))
           (raise-user-error (written value) " is no integer, as the format " name " needs"))
          (else ((format-write format) (modulo value (expt 2 (* 8 (format-size format)))))))))

(define most-names 50)

;; What a word says of how to show something: the name of a format, or else the description of a view.
(define (word->format word)
  (cond ((member word (format-names)) word)
        ((view-word? word) (view-description-of-word word))
        (else
         (let ((names (append (format-names) (view-definitions))))
           (raise-user-error "`" word "` is not a format" (did-you-mean word names)
                             "; formats: " (string-join (take-at-most names most-names) ", "))))))

(define (format-completions beginning)
  (filter (lambda (name) (string-prefix? beginning name)) (append (format-names) (view-definitions))))

(define-argument-kind format-name "a format or a view" word->format format-completions)

(define-argument-kind how "a count, a format or a view"
  (lambda (word)
    (if (and (not (view-word? word)) (or (word->number word) (register-word? word) (char=? #\( (string-ref word 0))))
        ((argument-kind-parse (argument-kind 'count)) word)
        (word->format word)))
  format-completions)

;; ---- layouts ---------------------------------------------------------------------------------------

(define (line-head address) (text (hex-address address) "  "))

(define (check-mapped bytes address)
  (if (= 0 (u8vector-length bytes))
      (raise-user-error "nothing is mapped at " (hex-address address) "; `info regions` lists what is")))

(define (printable bytes)
  (list->string (map (lambda (byte) (if (< 31 byte 127) (integer->char byte) #\.)) (u8vector->list bytes))))

(define (show-bytes address count)
  (let ((bytes (target-read-prefix address count)))
    (check-mapped bytes address)
    (let loop ((offset 0))
      (if (< offset (u8vector-length bytes))
          (let ((line (subu8vector bytes offset (min (+ offset 16) (u8vector-length bytes)))))
            (say (line-head (+ address offset))
                 (string-pad-right (string-join (map (lambda (byte) (hex byte 2)) (u8vector->list line)) " ") 49)
                 (printable line))
            (loop (+ offset 16)))))
    (+ address (u8vector-length bytes))))

(define (show-strings address count)
  (if (= count 0)
      address
      (let* ((bytes (target-read-prefix address 4096))
             (end (or (u8vector-index bytes 0) (u8vector-length bytes))))
        (check-mapped bytes address)
        (say (line-head address) (written (utf8->string (subu8vector bytes 0 end))))
        (show-strings (+ address end 1) (- count 1)))))

(define (show-units format address count)
  (let* ((size (format-size format)) (bytes (target-read-prefix address (* size count))))
    (check-mapped bytes address)
    (let ((units (quotient (u8vector-length bytes) size)))
      (columns
       (let loop ((n 0) (rows '()))
         (if (>= n units)
             (reverse rows)
             (loop (+ n (format-per-line format))
                   (cons (cons (hex-address (+ address (* n size)))
                               (map (lambda (i) ((format-write format) (u8vector-ref-le bytes (* size (+ n i)) size)))
                                    (iota (min (format-per-line format) (- units n)))))
                         rows)))))
      (+ address (* units size)))))

;; So many of what a view describes, one behind the other.
(define (show-views view address count)
  (if (= count 0)
      address
      (let ((place (memory-view-place view address)))
        (check-mapped (target-read-prefix address 1) address)
        (for-each say (view-lines (place-label address) place))
        (show-views view (+ address (view-size place)) (- count 1)))))

(define (place-label address)
  (text (hex-address address) (if (symbol-at address) (text " <" (address-text address) ">") "")))

(define (show-memory name address count)
  (cond ((not (string? name)) (show-views name address (or count 1)))
        ((string=? name "bytes") (show-bytes address (or count 64)))
        ((string=? name "string") (show-strings address (or count 1)))
        ((string=? name "instructions") (show-instructions address (or count 8)))
        (else (show-units (format-named name) address (or count 8)))))

;; where: as typed, #f to go on; count, format: #f for the usual ones. Gives the address behind.
(define (examine! where count format)
  (let* ((session (the-session))
         (before (session-examined session))
         (name (or format (if (and before (not where)) (cdr before) "bytes")))
         (address (cond (where (word->integer where)) (before (car before)) (else (current-address))))
         (end (u64 (show-memory name address count))))
    (session-examined-set! session (cons end name))
    end))

;; ---- one value -------------------------------------------------------------------------------------

;; What a view shows of an expression: of a symbol and of [ADDRESS] the memory there; of a register and of any
;; other value that itself, where it is small enough, else the memory that it is the address of.
(define (viewed-place expression view)
  (cond ((register-word? expression) (register-view-place view expression))
        ((bracketed? expression)
         (memory-view-place view (word->integer (substring expression 1 (- (string-length expression) 1)))))
        ((names-memory? expression) (memory-view-place view (word->integer expression)))
        (else (value-view-place view (word->integer expression)))))

(define (one-line expression)
  (string-join (map string-trim (string-split expression #\newline)) " "))

;; What print says. format: the name of one, a view, or #f; a symbol that has a view is shown by that.
(define (expression-lines expression format)
  (let* ((label (one-line expression))
         (place (cond ((equal? format "string") (viewed-place expression 'string))
                      ((string? format) #f)
                      (format (viewed-place expression format))
                      (else (word->view-place expression word->integer)))))
    (if place
        (view-lines label place)
        (let ((value (word->value expression)))
          (list (text label " = "
                      (cond (format (format-value format value))
                            ((and (integer? value) (exact? value))
                             (if (symbol-value expression) (text (hex-address value)) (value-text (u64 value))))
                            (else (written value)))))))))

;; An entry of the session's displayed expressions, (number expression format), as lines that begin with its number.
(define (displayed-lines entry)
  (let* ((lines (expression-lines (cadr entry) (caddr entry)))
         (label (text (car entry) ": "))
         (margin (make-string (string-length label) #\space)))
    (cons (text label (car lines)) (map (lambda (line) (text margin line)) (cdr lines)))))
