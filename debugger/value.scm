;; What a word of a command means: a register, a symbol of the program, a number, a Scheme expression.
;;
;;   r5  t3  pc            registers (of the activation that up and down chose) and the program counter
;;   main  loop+8          symbols of the program
;;   sieve.s:12            the code of a source line
;;   10  0x1f  0b101  'a'  numbers as the assembler writes them; 1.5 is the bits of that f64
;;   (+ main (* 4 r5))     Scheme, in which registers and symbols stand for their values
;;
;; This also defines the kinds of arguments that stand for such values.

(module debugger/value)
(use scheme-lib/util)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/lines)
(use debugger/views)
(use scheme-lib/view)
(use asm/number)

;; ---- registers -------------------------------------------------------------------------------------

(define (indexed-name word letter)
  (and (> (string-length word) 1)
       (char=? (string-ref word 0) letter)
       (not (string-index word (lambda (c) (not (char<=? #\0 c #\9))) 1))
       (string->number (substring word 1 (string-length word)))))

;; Whether a word is r5, t3 or pc.
(define (register-word? word)
  (or (and (indexed-name word #\r) #t)
      (let ((index (indexed-name word #\t))) (and index (< index 16)))
      (string=? word "pc")))

(define (register-value word)
  (and (session-machine (the-session)) (register-word? word) (target-register word)))

;; ---- numbers ---------------------------------------------------------------------------------------

(define radixes '((#\x . 16) (#\o . 8) (#\b . 2)))

(define (unsigned-number digits radix)
  (let ((clean (string-replace digits "_" "")))
    (and (> (string-length clean) 0)
         (char-numeric-in? (string-ref clean 0) radix)
         (let ((number (string->number clean radix))) (and (integer? number) (exact? number) number)))))

(define (char-numeric-in? c radix) (and (string->number (string c) radix) #t))

(define (integer-word word)
  (let* ((sign (and (> (string-length word) 0) (memv (string-ref word 0) '(#\- #\+)) (string-ref word 0)))
         (digits (if sign (substring word 1 (string-length word)) word))
         (radix (and (> (string-length digits) 2)
                     (char=? (string-ref digits 0) #\0)
                     (assv (char-downcase (string-ref digits 1)) radixes)))
         (number (if radix
                     (unsigned-number (substring digits 2 (string-length digits)) (cdr radix))
                     (unsigned-number digits 10))))
    (and number (if (eqv? sign #\-) (- number) number))))

(define escapes
  '((#\n . 10) (#\t . 9) (#\r . 13) (#\0 . 0) (#\a . 7) (#\b . 8) (#\f . 12) (#\v . 11)
    (#\\ . 92) (#\' . 39) (#\" . 34)))

(define (character-word word)
  (let ((length (string-length word)))
    (and (memv length '(3 4))
         (char=? (string-ref word 0) #\')
         (char=? (string-ref word (- length 1)) #\')
         (if (= length 3)
             (char->integer (string-ref word 1))
             (and (char=? (string-ref word 1) #\\) (assq-value (string-ref word 2) escapes))))))

(define (real-word word)
  (let ((number (string->number word)))
    (and (flonum? number) (real->bits number 52 11))))

;; The integer that a number in assembler syntax stands for, else #f.
(define (word->number word) (or (integer-word word) (character-word word) (real-word word)))

;; ---- names with an offset --------------------------------------------------------------------------

(define (sum-word word)
  (let ((at (or (string-index-right word #\+) (string-index-right word #\-))))
    (and at
         (> at 0)
         (let ((base (named-value (substring word 0 at)))
               (offset (integer-word (substring word at (string-length word)))))
           (and base offset (u64 (+ base offset)))))))

(define (named-value word) (or (register-value word) (symbol-value word)))

;; ---- Scheme ----------------------------------------------------------------------------------------

;; What a name in a form stands for, in a list; #f: it stands for what it is in Scheme, whose reader takes 0x1f
;; for a symbol.
(define (meaning name)
  (let ((word (symbol->string name)))
    (or (name-value word)
        (and (> (string-length word) 0)
             (char-numeric? (string-ref word 0))
             (let ((value (integer-word word))) (and value (list value)))))))

;; The names in a form that stand for registers and symbols, with their values. What a form calls is
;; Scheme's, whatever the program may call by that name.
(define (names-in form)
  (let ((found '()))
    (define (note name)
      (if (not (assq name found))
          (let ((value (meaning name)))
            (if value (set! found (cons (list name (list 'quote (car value))) found))))))
    (define (walk form)
      (cond ((symbol? form) (note form))
            ((and (pair? form) (not (eq? (car form) 'quote)))
             (if (pair? (car form)) (walk (car form)))
             (walk-arguments (cdr form)))))
    (define (walk-arguments rest)
      (if (pair? rest) (begin (walk (car rest)) (walk-arguments (cdr rest)))))
    (walk form)
    found))

;; A variable of the function, a name, or a place that a view finds: list.next.value. (value), or #f where it is none.
(define (name-value word)
  (let ((value (and (not (local-variable? word)) (named-value word))))
    (if value
        (list value)
        (let ((place (word->view-place word word->integer))) (and place (list (view-value place)))))))

(define (local-variable? word) (and (session-machine (the-session)) (> (string-length word) 0) (local-named word) #t))

(define (evaluate-datum datum) (eval `(let ,(names-in datum) ,datum)))

(define (evaluate-form text)
  (evaluate-datum (call-with-input-string text read)))

;; ---- conditions ------------------------------------------------------------------------------------

(define (condition-form word) (call-with-input-string word read))

;; A procedure that says whether the condition holds now: a form, a register, a symbol … that gives neither
;; #f nor 0. It is compiled once; names have the values of the moment.
(define (word->predicate word)
  (let* ((form (if (scheme-word? word) (condition-form word) `(',word->value ,word)))
         (names (map car (names-in form)))
         (procedure (eval `(lambda ,names ,form))))
    (lambda ()
      (let ((value (apply procedure (map (lambda (name) (car (meaning name))) names))))
        (and value (not (eqv? value 0)))))))

(define pure
  '(+ - * quotient remainder modulo abs min max = < > <= >= and or not if zero? even? odd? positive? negative?
    eqv? equal? bitwise-and bitwise-or bitwise-xor bitwise-not arithmetic-shift u64 s64 u32 s32))

;; The numbers of the registers that a condition depends on, where it depends on nothing else; else #f.
(define (condition-registers word)
  (define (walk form)
    (cond ((or (number? form) (boolean? form)) '())
          ((symbol? form)
           (let* ((name (symbol->string form)) (number (indexed-name name #\r)))
             (cond (number (list number))
                   ((or (symbol-value name) (integer-word name)) '()) ; other registers and places change elsewhere
                   (else #f))))
          ((and (pair? form) (list? form) (memq (car form) pure))
           (let ((parts (map walk (cdr form)))) (and (every (lambda (part) part) parts) (apply append parts))))
          (else #f)))
  (let ((registers (walk (condition-form word)))) (and registers (delete-duplicates registers))))

;; ---- words -----------------------------------------------------------------------------------------

(define (scheme-word? word) (and (> (string-length word) 0) (memv (string-ref word 0) '(#\( #\# #\" #\`)) #t))

(define (scheme-variable word)
  (with-exception-catcher (lambda (exception) #f) (lambda () (eval (string->symbol word)))))

;; FILE:LINE is the first instruction of that line, or of the next one that has any.
(define (line-word word)
  (let* ((colon (string-index-right word #\:))
         (line (and colon (> colon 0) (string->number (substring word (+ colon 1) (string-length word))))))
    (and line (session-machine (the-session))
         (car (or (line-instruction (substring word 0 colon) line)
                  (raise-user-error "no code comes from " word
                                    (let ((files (source-files)))
                                      (if (null? files)
                                          "; this program knows no source lines"
                                          (text "; its files: " (string-join files ", "))))))))))

(define (unknown-name word)
  (if (register-word? word) (the-machine))
  (raise-user-error "`" word "` is neither a register, a symbol of the program, a number nor a Scheme variable"
                    (did-you-mean word (program-names))))

(define (bracketed? word)
  (and (> (string-length word) 1)
       (char=? (string-ref word 0) #\[)
       (char=? (string-ref word (- (string-length word) 1)) #\])))

;; What stands at an address: [r5], [table+8]. Eight bytes.
(define (memory-word word)
  (u8vector->number (target-read (word->integer (substring word 1 (- (string-length word) 1))) 8)))

;; Any Scheme value.
(define (word->value word)
  (cond ((word->number word))
        ((scheme-word? word) (evaluate-form word))
        ((bracketed? word) (memory-word word))
        ((named-value word))
        ((sum-word word))
        ((line-word word))
        ((word->view-place word word->integer) => view-value)
        ((and (> (string-length word) 0) (char=? (string-ref word 0) #\')) (evaluate-form word))
        ((scheme-variable word))
        (else (unknown-name word))))

;; A 64-bit unsigned integer. Real numbers are taken as the bits of an f64.
(define (word->integer word)
  (let ((value (word->value word)))
    (cond ((and (integer-64? value)) (u64 value))
          ((flonum? value) (real->bits value 52 11))
          ((char? value) (char->integer value))
          (else
           (raise-user-error word " is " (written value) ", where an integer of 64 bits is expected")))))

;; What a word means as the new value of a place: for a place of a view, also a name of an enum, a real number or
;; a string; else an integer.
(define (new-value place word)
  (let ((viewed (word->view-place place word->integer)))
    (if viewed (word->view-value word viewed word->value) (word->integer word))))

(define-documented (view-ref place)
  "What a place of a view holds: (view-ref \"list.next.value\"), see view-value."
  (view-value (the-view-place place)))

(define-documented (view-put! place value)
  "Gives a place of a view another value: (view-put! \"list.next.value\" 5)."
  (view-set! (the-view-place place) value))

(define (the-view-place word)
  (the-machine)
  (or (word->view-place word word->integer)
      (raise-user-error "`" word "` is no place of a view; `help view` tells what is")))

;; Gives a register, a place of a view, or [ADDRESS], 8 bytes, another value.
(define (set-place! word value)
  (the-machine)
  (cond ((register-word? word) (target-register-set! word value))
        ((bracketed? word)
         (target-write! (word->integer (substring word 1 (- (string-length word) 1))) (number->u8vector value 8)))
        ((word->view-place word word->integer) => (lambda (place) (view-set! place value)))
        (else
         (raise-user-error "`" word "` cannot be set: a register (r5, t0, pc), memory ([ADDRESS]) or a place of a view "
                           "can"))))

;; Whether a word names a place in memory: a symbol, with an offset or without.
(define (names-memory? word)
  (and (not (register-word? word)) (or (symbol-value word) (sum-word word)) #t))

;; Whether a word alone on a line is worth a `print`.
(define (printable-word? word)
  (and (or (bracketed? word) (named-value word) (sum-word word) (viewed-word? word)) #t))

;; A mistake behind the name of something with a view is for `print` to tell.
(define (viewed-word? word)
  (with-exception-catcher (lambda (exception) #t) (lambda () (word->view-place word word->integer))))

;; ---- completion ------------------------------------------------------------------------------------

(define (name-completions beginning)
  (filter (lambda (name) (string-prefix? beginning name)) (cons "pc" (append (local-names) (program-names)))))

(define (local-names)
  (if (session-machine (the-session))
      (map (lambda (variable) (symbol->string (car variable))) (or (local-variables) '()))
      '()))

(define (directory-of beginning)
  (let ((slash (string-index-right beginning #\/)))
    (if slash (substring beginning 0 (+ slash 1)) "")))

;; Directories end in / so that the next Tab goes into them. Hidden files are shown when asked for.
(define (file-names beginning)
  (let ((directory (directory-of beginning)))
    (with-exception-catcher
     (lambda (exception) '())
     (lambda ()
       (filter-map
        (lambda (name)
          (let ((path (string-append directory name)))
            (and (string-prefix? beginning path)
                 (if (eq? (file-type path) 'directory) (string-append path "/") path))))
        (directory-files (list path: (if (string=? directory "") "." directory)
                               ignore-hidden: (if (string-prefix? "." (path-strip-directory beginning))
                                                  'dot-and-dot-dot
                                                  #t))))))))

;; ---- kinds of arguments ------------------------------------------------------------------------------

(define (unquoted word)
  (if (and (> (string-length word) 1) (char=? (string-ref word 0) #\"))
      (call-with-input-string word read)
      word))

(define-argument-kind place "an address, a symbol or a Scheme expression" word->integer name-completions)
(define-argument-kind integer "a number, a symbol, a register or a Scheme expression" word->integer name-completions)
(define-argument-kind value "an expression" (lambda (word) word) name-completions)
(define-argument-kind file "a file" unquoted file-names)
(define-argument-kind name "a name" unquoted)
(define-argument-kind string "a word" unquoted file-names)

(define-argument-kind register "a register: r5, t3 or pc"
  (lambda (word)
    (if (register-word? word)
        word
        (raise-user-error "`" word "` is not a register; registers are r0 r1 ..., t0 to t15 and pc"))))

(define-argument-kind count "a count"
  (lambda (word)
    (let ((value (word->value word)))
      (if (and (integer-64? value) (>= value 0))
          value
          (raise-user-error word " is no count: a count is an integer from 0 to 2^64-1")))))
