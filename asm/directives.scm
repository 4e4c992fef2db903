;; The directives. Each is a procedure of the assembly and its operands; operands come from text or from a
;; list that Scheme made.
;;
;;   (define-directive! ".word" (lambda (assembly operands) …))
(module asm/directives)
(use scheme-lib/util)
(use scheme-lib/leb128)
(use asm/number)
(use asm/isa)
(use asm/diagnostic)
(use asm/statement)
(use asm/environment)
(use asm/encode)
(use asm/expression)
(use asm/assembly)
(use asm/relax)
(use asm/value)
(use asm/files)
(declare (standard-bindings) (extended-bindings) (block))

(define directives (make-table test: equal?))

(define (define-directive! name run)
  (table-set! directives name run))

(define (directive-names)
  (map car (table->list directives)))

(define (run-directive! a name operands)
  (let ((run (table-ref directives name #f)))
    (if run
        (run a operands)
        (fail "there is no directive `" name "`" (directive-hint name)))))

;; Names that other assemblers have for the same, or near names. Their macros are procedures here.
(define (directive-hint name)
  (let ((other (find (lambda (row) (member name (cdr row))) names-elsewhere)))
    (cond ((member name '(".macro" ".endm"))
           ": a macro is a Scheme procedure that returns instructions, (define (twice r) (list (list add r r r)))")
          (other (text "; here it is called `" (car other) "`"))
          (else (did-you-mean name (directive-names))))))

(define names-elsewhere
  '((".byte" ".db" ".dc.b")
    (".half" ".hword" ".2byte" ".dw")
    (".word" ".long" ".int" ".4byte" ".dd")
    (".quad" ".dword" ".xword" ".8byte" ".dq")
    (".f64" ".double")
    (".f32" ".float" ".single")
    (".zero" ".space" ".ds")
    (".align" ".balign" ".p2align")
    (".set" ".equiv" ".define")
    (".rept" ".rep" ".repeat")))

(set-directive-runner! run-directive!)

(define (define-directives! names run)
  (for-each (lambda (name) (define-directive! name (lambda (a operands) (run a name operands)))) names))

;; ---- operands ----------------------------------------------------------------------------------------

(define (check-count name operands least most what)
  (let ((count (length operands)))
    (if (not (<= least count most))
        (fail "`" name "` expects " what ", found "
              (if (= count 0) "nothing" (text count (if (= count 1) " operand" " operands")))))))

;; An integer; in an object, perhaps an expression.
(define (value-operand a name operand)
  (operand-place! a operand)
  (if (register? operand)
      (fail "`" name "` expects a number, found " (operand->text operand)))
  (let ((value (resolve-number a operand)))
    (if (not (or (exact-integer? value) (expression? value)))
        (fail "`" name "` expects an integer, found " (operand->text value)))
    value))

(define (integer-operand a name operand)
  (let ((value (value-operand a name operand)))
    (if (expression? value)
        (fail "`" name "` needs its number now, but " (expression->text value)
              " is known only when the program is linked"))
    value))

;; From 0 to 2^64-1.
(define (address-operand a name operand)
  (let ((value (integer-operand a name operand)))
    (if (not (and (>= value 0) (integer-64? value)))
        (fail "`" name "` expects an address of 0 to 2^64-1, found " value))
    value))

;; Does (action operand ...), or leaves it to the linker when an operand is an expression; then `size` bytes
;; stand in for what comes.
(define (with-values a name operands size action)
  (let ((values (map (lambda (operand) (value-operand a name operand)) operands)))
    (if (any expression? values)
        (emit-deferred-directive! a name values size)
        (apply action values))))

;; Bounded before anything is made of it.
(define (check-size name value)
  (if (or (< value 0) (> value memory-limit))
      (fail "`" name "` expects a size of 0 to " memory-limit ", found " value)))

(define (size-operand a name operand)
  (let ((value (integer-operand a name operand)))
    (check-size name value)
    value))

(define (checked-byte name value)
  (if (not (<= -128 value 255)) (fail "`" name "` fills with a byte (0 to 255), found " value))
  (bitwise-and value 255))

;; From text, or what a form or a variable of the source gives.
(define (bytes-operand a name operand)
  (define (bytes value)
    (cond ((text-literal? value) (text-literal-bytes value))
          ((string? value) (string->utf8 value))
          (else
           (operand-place! a operand)
           (fail "`" name "` expects strings, found " (operand->text value)))))
  (cond ((form? operand)
         (operand-place! a operand)
         (bytes (eval-form a operand)))
        ((name? operand)
         (let ((value (name-variable a operand)))
           (bytes (if (string? value) value operand))))
        (else (bytes operand))))

;; A name, from text or from Scheme.
(define (name-operand name operand)
  (cond ((name? operand) (name-symbol operand))
        ((text-literal? operand) (string->symbol (text-literal->string operand)))
        ((or (string? operand) (symbol? operand)) (->label-name operand))
        (else (fail "`" name "` expects a name, found " (operand->text operand)))))

;; ---- sections ----------------------------------------------------------------------------------------

(define (order-protection name protection)
  (let ((has? (lambda (c) (string-index protection c))))
    (if (or (string-index protection (lambda (c) (not (memv c '(#\r #\w #\x #\-)))))
            (> (string-length protection) 3))
        (fail "`" name "` expects a protection of the letters r, w and x, such as \"rw\", found \""
              protection "\""))
    (string-append (if (has? #\r) "r" "") (if (has? #\w) "w" "") (if (has? #\x) "x" ""))))

(define-directives! '(".text" ".rodata" ".data" ".bss")
  (lambda (a name operands)
    (check-count name operands 0 0 "no operands")
    (switch-section! a name #f)))

(define-directives! '(".section")
  (lambda (a name operands)
    (check-count name operands 1 4
                 "a name, and perhaps a protection, an address and keep, such as .section .tables \"r\"")
    (let* ((keep? (and (pair? (cdr operands)) (keep-word? (list-ref operands (- (length operands) 1)))))
           (more (if keep? (reverse (cdr (reverse (cdr operands)))) (cdr operands))))
      (if (> (length more) 2)
          (fail "`" name "` knows the word keep behind the address, found " (operand->text (caddr more))))
      (switch-section! a
                       (symbol->string (name-operand name (car operands)))
                       (and (pair? more) (order-protection name (utf8->string (bytes-operand a name (car more)))))
                       (and (= 2 (length more)) (address-operand a name (cadr more))))
      (if keep? (section-keep?-set! (current-section a) #t)))))

(define (keep-word? operand)
  (or (eq? operand 'keep)
      (and (name? operand) (eq? 'keep (name-symbol operand)))))

;; ---- data --------------------------------------------------------------------------------------------

(define (define-integers! names size)
  (define-directives! names
    (lambda (a name operands)
      (check-count name operands 1 (expt 2 24) "one or more numbers")
      (for-each
       (lambda (operand)
         (if (text-literal? operand)
             (fail "`" name "` expects numbers, found " (operand->text operand) ": text is for .ascii"))
         (emit-sized! a (value-operand a name operand) size))
       operands))))

(define-integers! '(".byte") 1)
(define-integers! '(".half" ".short") 2)
(define-integers! '(".word") 4)
(define-integers! '(".quad") 8)

(define (define-reals! name significand-bits exponent-bits size)
  (define-directives! (list name)
    (lambda (a name operands)
      (check-count name operands 1 (expt 2 24) "one or more real numbers")
      (for-each
       (lambda (operand)
         (emit-integer! a (real-operand-bits a name operand significand-bits exponent-bits) size))
       operands))))

(define (real-operand-bits a name operand significand-bits exponent-bits)
  (operand-place! a operand)
  (if (register? operand) (fail "`" name "` expects real numbers, found " (operand->text operand)))
  (let ((value (if (real? operand) (real-value operand) (resolve-number a operand))))
    (cond ((bits? value) (bits-value value))
          ((and (number? value) (##real? value)) (real->bits value significand-bits exponent-bits))
          (else (fail "`" name "` expects real numbers, found " (operand->text value))))))

(define-reals! ".f64" 52 11 8)
(define-reals! ".f32" 23 8 4)

(define-directives! '(".ascii")
  (lambda (a name operands)
    (check-count name operands 1 (expt 2 24) "one or more strings")
    (for-each (lambda (operand) (emit-bytes! a (bytes-operand a name operand))) operands)))

(define-directives! '(".asciz" ".string")
  (lambda (a name operands)
    (check-count name operands 1 (expt 2 24) "one or more strings")
    (for-each
     (lambda (operand)
       (emit-bytes! a (bytes-operand a name operand))
       (emit-byte! a 0))
     operands)))

(define-directives! '(".uleb128")
  (lambda (a name operands)
    (check-count name operands 1 (expt 2 24) "one or more numbers")
    (for-each (lambda (operand) (emit-value! a (value-operand a name operand))) operands)))

(define-directives! '(".sleb128")
  (lambda (a name operands)
    (check-count name operands 1 (expt 2 24) "one or more numbers")
    (for-each
     (lambda (operand)
       (with-values a name (list operand) 1
         (lambda (value)
           (if (not (integer-64? value)) (fail "the number " value " does not fit into 64 bits"))
           (emit-bytes! a (sleb128-bytes value)))))
     operands)))

;; ---- room --------------------------------------------------------------------------------------------

(define-directives! '(".zero" ".skip")
  (lambda (a name operands)
    (check-count name operands 1 2 "a size, and a byte to fill with")
    (with-values a name operands 0
      (lambda (size #!optional (byte 0))
        (check-size name size)
        (emit-fill! a size (checked-byte name byte))))))

(define-directives! '(".fill")
  (lambda (a name operands)
    (check-count name operands 1 3 "a count, a size in bytes (1), and a value (0)")
    (with-values a name operands 0
      (lambda (count #!optional (size 1) (value 0))
        (check-size name count)
        (if (not (memv size '(1 2 4 8)))
            (fail "`.fill` repeats values of 1, 2, 4 or 8 bytes, found " size))
        (if (> (* count size) (if (eqv? value 0) memory-limit bytes-limit))
            (fail "`.fill` would take " (* count size) " bytes: at most "
                  (if (eqv? value 0) memory-limit bytes-limit)))
        (if (eqv? value 0)
            (emit-zeros! a (* count size))
            (do ((i 0 (+ i 1))) ((= i count)) (emit-sized! a value size)))))))

(define largest-alignment 65536)

;; In code the room is filled with nop, because the program may run through it.
(define-directives! '(".align")
  (lambda (a name operands)
    (check-count name operands 1 2 "a power of two, and a byte to fill with")
    (let* ((alignment (integer-operand a name (car operands)))
           (byte (and (pair? (cdr operands))
                      (checked-byte name (integer-operand a name (cadr operands)))))
           (section (current-section a))
           (fill! (lambda ()
                    (let ((size (modulo (- (here a)) alignment)))
                      (if (relaxing? a) (note-alignment! a alignment size))
                      (emit-fill! a size (or byte (if (section-executable? section) (isa-opcode "nop") 0)))))))
      (if (not (and (> alignment 0) (= 0 (bitwise-and alignment (- alignment 1)))))
          (fail "`.align` expects a power of two, found " alignment))
      (if (> alignment largest-alignment)
          (fail "`.align` expects at most " largest-alignment " (sections begin at pages of that size), found "
                alignment))
      (if (assembly-object? a)
          (emit-deferred! a (list 'directive name (cons alignment (if byte (list byte) '()))) fill!)
          (fill!)))))

;; In bytes from the address that the section has.
(define-directives! '(".org")
  (lambda (a name operands)
    (check-count name operands 1 2 "an address, and a byte to fill with")
    (current-section a)
    (if (assembly-object? a)
        (emit-deferred-directive! a name (map (lambda (operand) (value-operand a name operand)) operands) 0)
        (let* ((address (integer-operand a name (car operands)))
               (size (- address (here a))))
          (if (< size 0)
              (fail "`.org` cannot go back: the address here is " (hex-address (here a)) ", found "
                    (if (< address 0) address (hex-address address))))
          (if (> size memory-limit)
              (fail "`.org` would leave " size " bytes free: a section may have " memory-limit))
          (emit-fill! a size
                      (if (pair? (cdr operands)) (checked-byte name (integer-operand a name (cadr operands))) 0))))))

;; ---- files -------------------------------------------------------------------------------------------

;; A file is read once, so that all passes see the same.
(define (file-content a path)
  (or (table-ref (assembly-files a) path #f)
      (let ((bytes (source-bytes path)))
        (table-set! (assembly-files a) path bytes)
        bytes)))

(define-directives! '(".incbin")
  (lambda (a name operands)
    (check-count name operands 1 3 "the name of a file, an offset and a length")
    (let* ((file (utf8->string (bytes-operand a name (car operands))))
           (path (find-included file (source-file-name (statement-file (assembly-statement a)))))
           (bytes (file-content a path))
           (total (u8vector-length bytes))
           (offset (if (pair? (cdr operands)) (size-operand a name (cadr operands)) 0))
           (count (if (= 3 (length operands)) (size-operand a name (caddr operands)) (- total offset))))
      (if (or (> offset total) (> (+ offset count) total))
          (fail "`.incbin` goes beyond the end of " path ", which has " total " bytes: the offset is " offset
                (if (= 3 (length operands)) (text " and the length " count) "")))
      (emit-bytes! a (subu8vector bytes offset (+ offset count))))))

;; Only the reader can include a source, whose lines it must see.
(define-directives! '(".include")
  (lambda (a name operands)
    (fail "`.include` cannot come from Scheme: expected it in a line of its own")))

;; ---- conditions and messages -------------------------------------------------------------------------

;; The value of an operand of which only the truth matters: 0 and #f are false.
(define (operand-holds? a operand)
  (operand-place! a operand)
  (let ((value (if (form? operand) (eval-form a operand) (resolve-number a operand))))
    (if (expression? value)
        (fail "this condition decides now, but " (expression->text value)
              " is known only when the program is linked"))
    (not (or (eq? value #f) (eqv? value 0)))))

;; Whether the lines behind .if, .ifdef, .ifndef, .elseif or .else are assembled.
(define (condition-holds? a statement)
  (let ((name (statement-head statement))
        (operands (statement-operands statement)))
    (cond ((string=? name ".else")
           (check-count name operands 0 0 "no operands")
           #t)
          ((member name '(".ifdef" ".ifndef"))
           (check-count name operands 1 1 "a name")
           (eq? (string=? name ".ifdef") (defined-so-far? a (name-operand name (car operands)))))
          (else
           (check-count name operands 1 1 "one number or a Scheme form, such as .if (> size 4)")
           (operand-holds? a (car operands))))))

;; What comes later does not count, as otherwise .ifndef would ask about itself in the pass before.
(define (defined-so-far? a name)
  (or (symbol-met? a name)
      (let ((environment (assembly-environment a)))
        (and (not (environment-reserved? environment name))
             (not (eq? unbound (environment-variable environment name unbound)))))))

(define unbound '(unbound))

;; The reader makes blocks of these, which a list that Scheme made cannot open or close.
(define-directives! '(".if" ".ifdef" ".ifndef" ".elseif" ".else" ".endif" ".rept" ".irp" ".endr")
  (lambda (a name operands)
    (fail "`" name "` cannot come from Scheme, which has `if` and `map`: expected it in a line of its own")))

(define (message-operand a name operand)
  (utf8->string (bytes-operand a name operand)))

(define-directives! '(".assert")
  (lambda (a name operands)
    (check-count name operands 1 2 "a condition, such as (< size 64), and a message")
    (let ((message (if (pair? (cdr operands)) (message-operand a name (cadr operands)) "what was asserted is false"))
          (later (and (assembly-object? a) (comparison-operand a (car operands)))))
      (cond (later
             (current-section a)
             (emit-deferred-directive! a name (list later (string->utf8 message)) 0))
            ((not (operand-holds? a (car operands))) (fail message))))))

;; What the linker must ask, where the form compares addresses; else #f.
(define (comparison-operand a operand)
  (let ((parts (and (form? operand) (##source-code (form-datum operand)))))
    (and (list? parts)
         (= 3 (length parts))
         (let ((name (##source-code (car parts))))
           (define (part n)
             (resolve-number a (make-form (list-ref parts n) (form-line operand) (form-column operand))))
           (operand-place! a operand)
           (and (memq name '(< <= = >= >))
                (let ((x (part 1)) (y (part 2)))
                  (and (or (expression? x) (expression? y))
                       (comparison name x y))))))))

(define-directives! '(".error")
  (lambda (a name operands)
    (check-count name operands 1 1 "a message")
    (fail (message-operand a name (car operands)))))

(define-directives! '(".warning")
  (lambda (a name operands)
    (check-count name operands 1 1 "a message")
    (note-warning! a (message-operand a name (car operands)))))

;; ---- symbols -----------------------------------------------------------------------------------------

;; The value is a variable in Scheme as well, so that (* 2 size) works.
(define (define-constant! a name operands kind)
  (check-count name operands 2 2 "a name and a value, such as .equ size, 64")
  (let* ((symbol (name-operand name (car operands)))
         (value (known-or-zero a (lambda () (value-operand a name (cadr operands)))))
         (statement (assembly-statement a)))
    (if (not (or (expression? value) (integer-64? value)))
        (fail "the number " value " does not fit into 64 bits"))
    (define-symbol! a symbol value kind (statement-line statement) (statement-column statement))
    (if (not (environment-reserved? (assembly-environment a) symbol))
        ;; In an object, a weak symbol's value may be another one's in the end.
        (environment-define! (assembly-environment a) symbol (symbol-address a symbol)))))

(define-directives! '(".equ")
  (lambda (a name operands) (define-constant! a name operands 'label)))

(define-directives! '(".set")
  (lambda (a name operands) (define-constant! a name operands 'set)))

;; In an object, the linker asks for the address.
(define-directives! '(".entry")
  (lambda (a name operands)
    (check-count name operands 1 1 "a label or an address, where the program begins")
    (if (assembly-object? a)
        (note-event! a 0 (list 'entry (value-operand a name (car operands))))
        (assembly-entry-set! a (address-operand a name (car operands))))))

;; Who sees a symbol: every label of a single source is visible, of an object only what is named here.
(define (define-binding! names binding)
  (define-directives! names
    (lambda (a name operands)
      (check-count name operands 1 (expt 2 16) "one or more names")
      (for-each (lambda (operand) (bind-symbol! a (name-operand name operand) binding)) operands))))

(define-binding! '(".global" ".globl") 'global)
(define-binding! '(".weak") 'weak)
(define-binding! '(".local") 'local)
(define-binding! '(".extern") 'extern)
