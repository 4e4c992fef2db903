;; A source, read once, is passed over until its layout settles: see asm/assembly for what settles, and
;; asm/environment for the Scheme that each pass has.
(module asm/passes)
(use scheme-lib/util)
(use scheme-lib/view)
(use scheme-lib/view-text)
(use scheme-lib/leb128)
(use asm/number)
(use asm/isa)
(use asm/diagnostic)
(use asm/statement)
(use asm/encode)
(use asm/expression)
(use asm/reader)
(use asm/environment)
(use asm/origin)
(use asm/assembly)
(use asm/relax)
(use asm/value)
(use asm/directives)
(use asm/settings)
(use asm/blocks)
(use asm/runs)
(use asm/suspicion)
(declare (standard-bindings) (extended-bindings) (block))

;; ---- what a source can call --------------------------------------------------------------------------

(define mnemonic-bindings
  (map (lambda (entry) (cons (string->symbol (isa-entry-name entry)) (isa-entry-opcode entry)))
       (isa-entries)))

(define (numbered letter count)
  (map (lambda (n) (cons (string->symbol (text letter n)) n)) (iota count)))

(define register-bindings (append (numbered "r" 256) (numbered "t" 16)))

;; The procedures are closures of the assembly, because several can be under way.
(define (bindings a registers)
  (define (place)
    (let ((statement (assembly-statement a)))
      (list (statement-line statement) (statement-column statement))))
  (append
   (list
    (cons 'address (lambda (name) (symbol-address a (->label-name name))))
    (cons 'known? (lambda (value) (not (expression? value))))
    (cons 'defined? (lambda (name) (symbol-defined? a (->label-name name))))
    (cons 'here (lambda () (here-value a)))
    (cons 'label (lambda (name) (make-label-marker (->label-name name))))
    (cons 'label!
          (lambda (name)
            (apply define-label! a (->label-name name) (place))))
    (cons 'symbol!
          (lambda (name value)
            (if (not (or (expression? value) (and (exact-integer? value) (integer-64? value))))
                (fail "(symbol! name value) expects an integer of 64 bits, found " (operand->text value)))
            (apply define-symbol! a (->label-name name) value 'label (place))))
    (cons 'view (lambda (name description) (add-view! a (->label-name name) description)))
    (cons 'unique-name (lambda (#!optional (prefix "name")) (unique-name! a prefix)))
    (cons 'host
          (lambda (name)
            (cond ((string? name) (host-value a name))
                  ((symbol? name) (host-value a (symbol->string name)))
                  (else (fail "(host name) expects a string, found " (operand->text name))))))
    (cons 'relocation
          (lambda (thunk #!optional (size #f))
            (if (not (procedure? thunk))
                (fail "(relocation thunk) expects a procedure without arguments, found "
                      (operand->text thunk)))
            (if (not (memv size '(#f 1 2 4 8)))
                (fail "a relocation has a size of 1, 2, 4 or 8 bytes, found " (operand->text size)))
            (make-relocation thunk size)))
    (cons 'define-instruction! (lambda (form) (define-in-assembly! a form)))
    (cons 'bits (lambda (n) (make-bits n)))
    (cons 'uleb128 (lambda (n) (uleb128-bytes (unsigned-64 (checked-64 n)))))
    (cons 'sleb128 (lambda (n) (sleb128-bytes (checked-64 n))))
    (cons 'pass (lambda () (assembly-pass a)))
    (cons 'list (noting-list (assembly-environment a)))
    (cons 'located
          (lambda (value #!optional macro file line column)
            (locate! (assembly-environment a) value (and macro (make-place macro file line column))))))
   (map (lambda (symbol) (cons symbol (register-number (register-symbol symbol)))) registers)
   register-bindings
   mnemonic-bindings))

;; Scheme's own arithmetic, which in an object takes addresses too.
(define (object-arithmetic a)
  (arithmetic-bindings (lambda (key other) (settled-distance a key other))))

;; How a debugger is to show what is at a symbol, or what other views call by this name.
(define (add-view! a name description)
  (with-exception-catcher
   (lambda (exception)
     (if (view-error? exception)
         (fail "the view of `" name "`: " (view-error-message exception))
         (raise exception)))
   (lambda () (view-check description)))
  (let ((string (view->text description)))
    (if (> (u8vector-length (string->utf8 string)) 65535)
        (fail "the view of `" name "` is too long: its text has more than 65535 bytes"))
    (note-view! a name string)
    '()))

;; Scheme's own `list`, but what may be an instruction or a directive remembers where it was made.
(define (noting-list environment)
  (lambda items
    (if (and (pair? items) (may-be-instruction? items))
        (environment-note-origin! environment items (list items) #f)
        items)))

(define (may-be-instruction? list)
  (let ((head (car list)))
    (or (and (fixnum? head) (isa-by-opcode head))
        (symbol? head)
        (procedure? head))))

;; The value, whose lists were made where `located` is called, unless they remember better; by a macro of a library, if
;; there is a place in one.
(define (locate! environment value macro)
  (environment-note-origin! environment value
    (let walk ((value value) (found '()))
      (cond ((not (and (pair? value) (list? value))) found)
            ((may-be-instruction? value) (if (environment-origin environment value) found (cons value found)))
            (else (fold walk found value))))
    macro))

(define (checked-64 n)
  (if (not (and (exact-integer? n) (integer-64? n)))
      (fail "expected an integer of 64 bits, found " (operand->text n)))
  n)

;; ---- statements --------------------------------------------------------------------------------------

(define (run-statement! a statement)
  (assembly-statement-set! a statement)
  (assembly-operand-set! a #f)
  (case (statement-kind statement)
    ((run)
     (if (room-for? a (u8vector-length (statement-operands statement)))
         (emit-fixed! a statement)
         (run-statements! a (run->statements statement))))
    ((fixed) (emit-fixed! a statement))
    ((label)
     (define-label! a (statement-head statement) (statement-line statement) (statement-column statement))
     (begin-scope! a (statement-head statement)))
    ((block)
     (enter-file! a statement)
     (run-block! a (statement-operands statement) statement))
    (else
     (enter-file! a statement)
     (start-statement! a statement)
     (note-event! a 0 '(line))
     (case (statement-kind statement)
       ((instruction)
        (current-section a)
        (emit-text-instruction! a (statement-head statement) (statement-operands statement)))
       ((directive)
        (run-directive! a (statement-head statement) (statement-operands statement)))
       ((form) (run-form! a (statement-operands statement)))
       ((value) (emit-value! a (statement-operands statement)))
       ((actions) (for-each (lambda (action) (action a)) (statement-operands statement)))
       (else (run-defined! a statement)))
     (finish-statement! a statement))))

(define (emit-fixed! a statement)
  (let ((section (current-section a)))
    (statement-section-set! statement section)
    (statement-offset-set! statement (section-size section))
    (note-event! a 0 '(line))
    (emit-bytes! a (statement-operands statement))))

;; Places in its Scheme are those of the statement's file.
(define (enter-file! a statement)
  (environment-source-name-set! (assembly-environment a) (source-file-name (statement-file statement))))

;; What a definition gives (in Gambit, the name) is nothing to assemble.
(define (run-form! a form)
  (let ((value (environment-eval (assembly-environment a) (form-datum form) (form-line form))))
    (if (not (and (symbol? value) (definition? (form-datum form))))
        (emit-value! a value))))

(define (definition? datum)
  (let ((form (##desourcify datum)))
    (and (pair? form)
         (symbol? (car form))
         (or (memq (car form) '(begin ##begin use module set!))
             (string-prefix? "define" (symbol->string (car form)))
             (string-prefix? "##define" (symbol->string (car form)))))))

;; A mnemonic that the table does not have.
(define (run-defined! a statement)
  (let ((entry (find-entry a (statement-head statement))))
    (cond ((not entry) (unknown-mnemonic a (statement-head statement)))
          ((problem? (statement-operands statement)) (raise (statement-operands statement)))
          (else
           (current-section a)
           (emit-defined! a entry (statement-operands statement))))))

;; Whether the first operand of an unknown statement is what begins one.
(define (before-statement? operands)
  (let ((first (and (pair? operands) (caar operands))))
    (and (name? first)
         (let ((word (symbol->string (name-symbol first))))
           (or (isa-find word) (member word (directive-names)))))))

(define (unknown-mnemonic a name)
  (let ((value (environment-variable (assembly-environment a) (string->symbol name) #f)))
    (fail "there is no instruction `" name "`"
          (cond ((before-statement? (statement-operands (assembly-statement a)))
                 (text "; if it is a label, a colon stands behind it: " name ":"))
                ((procedure? value)
                 (text ": it is a Scheme procedure, which is called as (" name " …)"))
                ((memq (string->symbol (string-append "." name)) (map string->symbol (directive-names)))
                 (text " (did you mean the directive `." name "`?)"))
                ((string-index name #\=) "; an assignment has blanks around =, as in size = 64")
                (else (isa-name-hint name (defined-names a)))))))

;; ---- passes ------------------------------------------------------------------------------------------

;; A source that has not settled after so many passes never will.
(define asm-pass-limit 100)

;; A problem ends its statement; the next one goes on.
(define (run-statements! a statements)
  (let ((count (vector-length statements))
        (at 0))
    (define (run-from i)
      (if (fx< i count)
          (begin
            (set! at i)
            (run-statement! a (vector-ref statements i))
            (run-from (fx+ i 1)))))
    (let resume ((i 0))
      (let ((problem (with-exception-catcher
                      (lambda (exception)
                        (if (problem? exception) exception (raise exception)))
                      (lambda () (run-from i) #f))))
        (if problem
            (begin
              (note-problem! a problem)
              (if (and (not (problem-kind problem))
                       (memq (statement-kind (vector-ref statements at)) '(form value block)))
                  (assembly-names-lost?-set! a #t))
              (resume (fx+ at 1))))))))

;; ---- blocks ------------------------------------------------------------------------------------------

(define (run-block! a block statement)
  (if (conditional? block)
      (run-conditional! a block)
      (run-repetition! a block statement)))

(define (run-conditional! a block)
  (let ((chosen (find (lambda (clause)
                        (assembly-statement-set! a (clause-test clause))
                        (assembly-operand-set! a #f)
                        (condition-holds? a (clause-test clause)))
                      (conditional-clauses block)))
        (before (conditional-chosen block)))
    (if (and (not (eq? chosen before)) (> (assembly-pass a) 1))
        (begin
          (assembly-changed?-set! a #t)
          (if before (forget-statements! (clause-body before)))))
    (conditional-chosen-set! block chosen)
    (if chosen (run-statements! a (clause-body chosen)))))

;; So many statements at most come from repetition in a pass; each takes half a kilobyte.
(define repeated-limit (expt 2 20))

(define (run-repetition! a block statement)
  (let* ((variable (repetition-variable block))
         (values (repetition-values block))
         (count (if variable (length values) (repetition-count a statement (car values))))
         (size (fold (lambda (statement sum) (+ (statement-weight statement) sum)) 0
                     (vector->list (repetition-body block))))
         (environment (assembly-environment a)))
    (if (and variable (environment-reserved? environment variable))
        (fail "`" variable "` cannot be the variable of `.irp`: the assembler defines it already"))
    (assembly-repeated-set! a (+ (assembly-repeated a) (* count (max 1 size))))
    (if (> (assembly-repeated a) repeated-limit)
        (fail "the repeated lines would make more than " repeated-limit " statements"))
    (let loop ((left (if (= size 0) 0 count)) (values values) (copies (repetition-copies block)) (run '()))
      (if (> left 0)
          (let ((copy (if (pair? copies)
                          (car copies)
                          (copy-of-body (repetition-body block) variable (and variable (car values))))))
            (if (and (null? copies) (> (assembly-pass a) 1)) (assembly-changed?-set! a #t))
            (if variable (environment-define! environment variable (scheme-value a (car values))))
            (run-statements! a copy)
            (loop (- left 1)
                  (if variable (cdr values) values)
                  (if (pair? copies) (cdr copies) '())
                  (cons copy run)))
          (begin
            (if (pair? copies) (assembly-changed?-set! a #t))
            (repetition-copies-set! block (reverse run)))))))

;; What stands for the unknown is an address, which is no count of anything.
(define (repetition-count a statement operand)
  (operand-place! a operand)
  (let ((count (known-or-zero a (lambda () (resolve-number a operand)))))
    (if (not (and (exact-integer? count) (<= 0 count repeated-limit)))
        (fail "`.rept` expects a number from 0 to " repeated-limit ", found " (operand->text count)))
    count))

;; What Scheme forms of a round see as the variable.
(define (scheme-value a operand)
  (cond ((register? operand) (register-number operand))
        ((real? operand) (real-value operand))
        ((text-literal? operand) (text-literal->string operand))
        ((name? operand) (symbol->string (name-symbol operand)))
        ((form? operand) (eval-form a operand))
        (else operand)))

;; ---- a run -------------------------------------------------------------------------------------------

;; What the command line defined, as if the source began with it.
(define (define-given! a)
  (assembly-statement-set! a (make-statement 'directive (source-file (assembly-source a)) 0 0 ".set" '() '() #f 0))
  (for-each
   (lambda (definition)
     (let ((name (string->symbol (car definition)))
           (value (cdr definition)))
       (if (environment-reserved? (assembly-environment a) name)
           (fail "`" name "` cannot be defined from outside: the assembler defines it already"))
       (if (exact-integer? value) (define-symbol! a name value 'set 0 0))
       (environment-define! (assembly-environment a) name value)))
   (asm-definitions)))

;; Passes until nothing moves. What the source writes to the current output port appears once: that of the
;; last pass.
(define (assemble-statements source mode base external imports definitions finish)
  (call-with-environment (source-name source) (source-assigned source)
    (lambda (environment)
      (let ((a (new-assembly source environment mode base external imports definitions)))
        (let loop ()
          (let ((output (with-captured-output
                         (lambda ()
                           (with-fresh-random-state
                            (lambda ()
                              (start-pass! a)
                              (environment-start-pass! environment
                                                       (bindings a (source-registers source))
                                                       (if (assembly-object? a) (object-arithmetic a) '()))
                              (with-exception-catcher
                               (lambda (exception)
                                 (if (problem? exception) (note-problem! a exception) (raise exception)))
                               (lambda () (define-given! a)))
                              (parameterize ((current-assembly a))
                                (run-statements! a (source-statements source)))
                              (finish-pass! a)))))))
            (cond ((not (or (assembly-changed? a) (assembly-unknown? a)))
                   (display output)
                   (if (and (memq mode '(program object)) (null? (assembly-errors a))) (note-suspicions! a))
                   (raise-diagnostics a '())
                   (for-each (lambda (warning) (asm-diagnostic-display warning (current-error-port)))
                             (reverse (assembly-warnings a)))
                   (find-places! a)
                   (finish a))
                  ((>= (assembly-pass a) asm-pass-limit)
                   (display output)
                   (raise-diagnostics a (list (unsettled-diagnostic a source))))
                  (else
                   (if (relaxing? a) (relax! a))
                   (loop)))))))))

(define (raise-diagnostics a more)
  (let ((all (append (if (asm-warnings-as-errors) (reverse (assembly-warnings a)) '())
                     (assembly-errors a)
                     more)))
    (if (pair? all) (raise (make-asm-error all)))))

(define most-unsettled 8)

(define (unsettled-diagnostic a source)
  (let* ((resized (reverse (assembly-resized a)))
         (entries (sort (unsettled-symbols a)
                        (lambda (x y) (< (car (symbol-entry-place x)) (car (symbol-entry-place y))))))
         (place (cond ((pair? resized) (cons (statement-line (car resized)) (statement-column (car resized))))
                      ((pair? entries) (symbol-entry-place (car entries)))
                      (else '(0 . 0))))
         (file (cond ((pair? resized) (statement-file (car resized)))
                     ((pair? entries) (symbol-entry-file (car entries)))
                     (else (source-file source)))))
    (make-asm-diagnostic
     (source-file-name file) (car place) (cdr place)
     (text "the labels do not settle: after " (assembly-pass a)
           " passes they still move, because "
           (cond ((pair? resized) "this Scheme form gives something else in each pass")
                 ((eq? 'link (assembly-mode a)) "values are computed from one another in a circle or a long chain")
                 (else "Scheme code gives something else in each pass")))
     (append
      (map (lambda (entry) (unsettled-note a entry)) (take-at-most entries most-unsettled))
      (if (> (length entries) most-unsettled)
          (list (text "and " (- (length entries) most-unsettled) " more"))
          '()))
     (source-file-line file (car place)))))

(define (unsettled-note a entry)
  (let ((before (symbol-entry-value-before entry)))
    (if (< (symbol-entry-pass entry) (assembly-pass a))
        (text "`" (symbol-entry-name entry) "` was " (hex-address (symbol-entry-value entry))
              " in the pass before, and is not defined in the last one")
        (text "`" (symbol-entry-name entry) "`"
              (if before
                  (text " was " (hex-address before) " in the pass before, and")
                  " was not defined in the pass before, and")
              " is " (hex-address (symbol-entry-value entry)) " in the last one"))))
