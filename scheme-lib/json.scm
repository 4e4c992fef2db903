;; JSON (RFC 8259) as Scheme data.
;;
;;   (text->json "{\"line\": 3, \"on\": true}")     => (("line" . 3) ("on" . #t))
;;   (json->text (json-object "line" 3 "on" #t))     => "{\"line\":3,\"on\":true}"
;;   (json-ref object "line" 1)                      => 3
;;
;; An object is a list of (name . value), the names being strings: what a stranger sends makes no symbols. An
;; array is a vector, null the symbol null, true and false #t and #f. Integers are exact, whatever their size;
;; a number with a fraction or an exponent is a flonum. What is read may be hostile: nesting is limited, and so
;; is the length of a number; everything else takes time and memory in proportion to the text.

(module scheme-lib/json)
(use scheme-lib/util)
(declare (block))

(define json-depth-limit (make-parameter 200))

(define number-length-limit 400)

;; ---- objects ---------------------------------------------------------------------------------------

(define-documented (json-object . names-and-values)
  "A JSON object of names and values by turns; a value of #!void leaves its name out."
  (let loop ((rest names-and-values))
    (cond ((null? rest) '())
          ((eq? (cadr rest) (void)) (loop (cddr rest)))
          (else (cons (cons (car rest) (cadr rest)) (loop (cddr rest)))))))

(define (json-object? value) (or (null? value) (pair? value)))

(define-documented (json-ref object name #!optional (default #f))
  "The value of a name in a JSON object, the first one where it stands there twice; DEFAULT where the object
lacks it, or is no object."
  (let ((entry (and (pair? object) (assoc name object)))) (if entry (cdr entry) default)))

;; ---- reading ---------------------------------------------------------------------------------------

(define-documented (text->json source)
  "The value that a JSON text stands for. An error says at which character it is none."
  (let ((end (string-length source)))

    (define (fail i . what)
      (error (apply text "JSON, character " (+ i 1) ": " what)))

    (define (peek i) (if (< i end) (string-ref source i) #\nul))

    (define (skip i)
      (if (memv (peek i) '(#\space #\newline #\return #\tab)) (skip (+ i 1)) i))

    (define (expect c i)
      (if (char=? (peek i) c) (+ i 1) (fail i "`" c "` is expected")))

    ;; Each of these gives (done value index) for what begins at i.
    (define (value i depth done)
      (if (> depth (json-depth-limit)) (fail i "nested deeper than " (json-depth-limit) " levels"))
      (let ((c (peek i)))
        (cond ((char=? c #\{) (members (skip (+ i 1)) depth done))
              ((char=? c #\[) (elements (skip (+ i 1)) depth done))
              ((char=? c #\") (string-value (+ i 1) done))
              ((or (char=? c #\-) (digit? c)) (number i done))
              ((string-at? "true" i) (done #t (+ i 4)))
              ((string-at? "false" i) (done #f (+ i 5)))
              ((string-at? "null" i) (done 'null (+ i 4)))
              ((>= i end) (fail i "the text ends where a value is expected"))
              (else (fail i "no value begins with `" c "`")))))

    (define (string-at? word i)
      (and (<= (+ i (string-length word)) end) (string=? word (substring source i (+ i (string-length word))))))

    (define (members i depth done)
      (if (char=? (peek i) #\})
          (done '() (+ i 1))
          (let loop ((i i) (found '()))
            (receive (name i) (string-value (expect #\" i) values)
              (receive (member i) (value (skip (expect #\: (skip i))) (+ depth 1) values)
                (let ((found (cons (cons name member) found)) (i (skip i)))
                  (if (char=? (peek i) #\,)
                      (loop (skip (+ i 1)) found)
                      (done (reverse found) (expect #\} i)))))))))

    (define (elements i depth done)
      (if (char=? (peek i) #\])
          (done (vector) (+ i 1))
          (let loop ((i i) (found '()))
            (receive (element i) (value i (+ depth 1) values)
              (let ((found (cons element found)) (i (skip i)))
                (if (char=? (peek i) #\,)
                    (loop (skip (+ i 1)) found)
                    (done (list->vector (reverse found)) (expect #\] i))))))))

    (define (string-value i done)
      (let ((port (open-output-string)))
        (let loop ((i i))
          (let ((c (peek i)))
            (cond ((>= i end) (fail i "the text ends within a string"))
                  ((char=? c #\") (done (get-output-string port) (+ i 1)))
                  ((char=? c #\\) (escaped (+ i 1) port loop))
                  ((char<? c #\space) (fail i "a control character within a string is written as an escape"))
                  (else (write-char c port) (loop (+ i 1))))))))

    (define (escaped i port go-on)
      (let ((plain (assv (peek i) escapes)))
        (cond (plain (write-char (cdr plain) port) (go-on (+ i 1)))
              ((char=? (peek i) #\u) (code-unit (+ i 1) (lambda (unit i) (character unit i port go-on))))
              (else (fail i "no escape is written \\" (peek i))))))

    ;; UTF-16: two units may make one character; half of such a pair is none.
    (define (character unit i port go-on)
      (define (put code i) (write-char (integer->char code) port) (go-on i))
      (cond ((and (<= #xD800 unit #xDBFF) (string-at? "\\u" i))
             (code-unit (+ i 2)
                        (lambda (low next)
                          (if (<= #xDC00 low #xDFFF)
                              (put (+ #x10000 (* 1024 (- unit #xD800)) (- low #xDC00)) next)
                              (put #xFFFD i)))))
            ((<= #xD800 unit #xDFFF) (put #xFFFD i))
            (else (put unit i))))

    (define (code-unit i done)
      (let* ((digits (substring source i (min end (+ i 4))))
             (unit (and (= (string-length digits) 4)
                        (every hex-digit? (string->list digits))
                        (string->number digits 16))))
        (if unit (done unit (+ i 4)) (fail i "four hexadecimal digits are expected behind \\u"))))

    (define (digits i) (if (digit? (peek i)) (digits (+ i 1)) i))
    (define (some-digits i) (if (digit? (peek i)) (digits i) (fail i "a digit is expected")))

    (define (number start done)
      (let* ((i (if (char=? (peek start) #\-) (+ start 1) start))
             (whole (if (char=? (peek i) #\0) (+ i 1) (some-digits i)))
             (fraction (if (char=? (peek whole) #\.) (some-digits (+ whole 1)) whole))
             (exponent (if (memv (peek fraction) '(#\e #\E))
                           (some-digits (+ fraction (if (memv (peek (+ fraction 1)) '(#\+ #\-)) 2 1)))
                           fraction)))
        (if (or (> (- fraction start) number-length-limit) (> (- exponent fraction) 8))
            (fail start "a number of more than " number-length-limit " digits, or with a far exponent"))
        (let ((number (string->number (substring source start exponent) 10)))
          (cond ((= exponent whole) (done number exponent))
                ((< -inf.0 number +inf.0) (done (exact->inexact number) exponent))
                (else (fail start "the number is too large"))))))

    (receive (result i) (value (skip 0) 1 values)
      (if (< (skip i) end) (fail (skip i) "something follows the value"))
      result)))

(define (digit? c) (char<=? #\0 c #\9))
(define (hex-digit? c) (or (digit? c) (char<=? #\a c #\f) (char<=? #\A c #\F)))

(define escapes
  '((#\" . #\") (#\\ . #\\) (#\/ . #\/) (#\b . #\backspace) (#\f . #\page) (#\n . #\newline) (#\r . #\return)
    (#\t . #\tab)))

;; ---- writing ---------------------------------------------------------------------------------------

(define-documented (json->text value)
  "The JSON text of a value. What JSON cannot say (a symbol, a fraction, an infinity) is an error."
  (call-with-output-string "" (lambda (port) (write-json value port))))

(define (write-json value port)
  (define (sequence open items write-item close)
    (write-char open port)
    (let loop ((items items) (first? #t))
      (if (pair? items)
          (begin
            (if (not first?) (write-char #\, port))
            (write-item (car items))
            (loop (cdr items) #f))))
    (write-char close port))
  (define (write-member member)
    (write-json-string (car member) port)
    (write-char #\: port)
    (write-json (cdr member) port))
  (cond ((eq? value #t) (write-string "true" port))
        ((eq? value #f) (write-string "false" port))
        ((eq? value 'null) (write-string "null" port))
        ((string? value) (write-json-string value port))
        ((number? value) (write-string (number-text value) port))
        ((vector? value) (sequence #\[ (vector->list value) (lambda (item) (write-json item port)) #\]))
        ((json-object? value) (sequence #\{ value write-member #\}))
        (else (error "JSON has no way to write" value))))

(define (number-text number)
  (cond ((and (integer? number) (exact? number)) (number->string number))
        ((and (flonum? number) (< -inf.0 number +inf.0)) (flonum-text (number->string number)))
        (else (error "JSON has no way to write the number" number))))

;; Scheme leaves out digits that JSON needs: .5, 5., -.5e10
(define (flonum-text text)
  (let* ((negative? (char=? (string-ref text 0) #\-))
         (digits (if negative? (substring text 1 (string-length text)) text))
         (digits (if (char=? (string-ref digits 0) #\.) (string-append "0" digits) digits))
         (point (string-index digits #\.))
         (behind (and point (+ point 1)))
         (bare? (and point (or (= behind (string-length digits)) (not (digit? (string-ref digits behind)))))))
    (string-append (if negative? "-" "")
                   (if bare?
                       (string-append (substring digits 0 behind) "0" (substring digits behind (string-length digits)))
                       digits))))

(define (write-json-string string port)
  (write-char #\" port)
  (let loop ((i 0) (start 0))
    (define (copy) (write-substring string start i port))
    (if (= i (string-length string))
        (copy)
        (let ((c (string-ref string i)))
          (if (or (char<? c #\space) (memv c '(#\" #\\ #\delete)))
              (begin
                (copy)
                (write-string (escape-of c) port)
                (loop (+ i 1) (+ i 1)))
              (loop (+ i 1) start)))))
  (write-char #\" port))

(define (escape-of c)
  (case c
    ((#\") "\\\"")
    ((#\\) "\\\\")
    ((#\newline) "\\n")
    ((#\return) "\\r")
    ((#\tab) "\\t")
    (else (string-append "\\u" (hex (char->integer c) 4)))))
