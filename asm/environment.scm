;; The Scheme that an assembly source runs in: all of Gambit, and names of its own that are gone when the
;; pass ends. A variable, procedure or macro of one pass is unseen in the next and outside; the random
;; generator begins each pass in the same state, and the one of the surrounding program is left as it was.
;;
;; Gambit has one global environment, so a pass gets a namespace in it: every name that is not a standard
;; one is read as asm-source-0#name, and starting a pass unbinds them all. Standard names that the source
;; defines or assigns move into the namespace too. What is not isolated: input and output, and standard
;; names that only a macro's expansion defines.
;;
;;   (call-with-environment 'source '() '()
;;     (lambda (environment)
;;       (environment-start-pass! environment (list (cons 'here (lambda () 65536))) '())
;;       (environment-eval environment datum 3)))
(module asm/environment)
(use scheme-lib/util)
(use asm/diagnostic)
(use asm/statement)
(use asm/expression)
(use asm/origin)

(define-type environment
  namespace       ; taken for as long as the source is assembled
  (source-name)   ; of the file whose statement is under way
  assigned        ; names that the source defines or assigns
  (bindings)      ; pairs of a name and a value, what the assembler offers; `list` among them
  (instead)       ; the same, of standard names that mean something else here
  (started?)      ; whether this pass has used its Scheme yet
  (reserved)      ; table: the names that the assembler binds
  (top)           ; this pass's compilation environment
  (origins)       ; of the pass's lists, as asm/origin has them
  (outer))        ; the continuation of the evaluation that is under way, or #f

(define-type namespace
  prefix          ; "asm-source-0#"
  top             ; a compilation environment to be cloned for each pass
  full-names)     ; table: name -> the name with the prefix

;; The names of Gambit's own, read when this file is compiled: an installed executable need not find them.
(##define-macro (read-standard-names)
  (letrec ((names-of-file
            (lambda (file)
              (apply append (map names-of-form (call-with-input-file file read-all)))))
           (names-of-form
            (lambda (form)
              (cond ((eq? (car form) '##include) (names-of-file (cadr form)))
                    ((eq? (car form) '##namespace) (cdr (cadr form)))
                    (else '())))))
    (list 'quote (names-of-file "~~lib/gambit#.scm"))))

(define standard-names (read-standard-names))

;; ---- namespaces --------------------------------------------------------------------------------------

;; A source may assemble another one while it is assembled, and so may another thread: each takes a
;; namespace that is free.
(define free-namespaces '())
(define namespace-count 0)

;; Macros of the user's REPL are no part of a source, so this is what there was when we were loaded.
(define pristine (##top-cte-clone ##interaction-cte))

(define (new-namespace)
  (let* ((prefix (text "asm-source-" namespace-count "#"))
         (top (##top-cte-clone pristine)))
    (set! namespace-count (+ namespace-count 1))
    (for-each
     (lambda (form) (##eval-top (##make-source form #f) top))
     `((##namespace (,prefix))
       (##namespace ("" use ,@standard-names))
       (##define-macro (delay-address expression . size)
         (list 'relocation (list 'lambda '() expression) (if (null? size) #f (car size))))
       (##define-macro (define-instruction . form)
         (list 'define-instruction! (list 'quote form)))
       ;; The body keeps its positions.
       (##define-syntax with-labels
         (lambda (source)
           (let ((parts (##source-code source)))
             (##make-source
              (cons 'let (cons (map (lambda (name) (list name (list 'unique-name (symbol->string name))))
                                    (##desourcify (cadr parts)))
                               (cddr parts)))
              (##source-locat source)))))))
    (make-namespace prefix top (make-table test: eq?))))

(define (take-namespace!)
  (if (null? free-namespaces)
      (new-namespace)
      (let ((namespace (car free-namespaces)))
        (set! free-namespaces (cdr free-namespaces))
        namespace)))

;; Every symbol that begins with the prefix.
(define (symbols-with-prefix prefix)
  (let* ((table (##symbol-table))
         (buckets (vector-length table)))
    (let next-bucket ((i 1) (found '()))
      (if (fx= i buckets)
          found
          (let next-symbol ((symbol (vector-ref table i)) (found found))
            (if (symbol? symbol)
                (next-symbol (##vector-ref symbol 2)
                             (if (begins-with? (symbol->string symbol) prefix) (cons symbol found) found))
                (next-bucket (fx+ i 1) found)))))))

;; Most symbols differ in the first characters.
(define (begins-with? string prefix)
  (let ((n (string-length prefix)))
    (and (fx>= (string-length string) n)
         (let loop ((i 0))
           (or (fx= i n)
               (and (char=? (string-ref string i) (string-ref prefix i))
                    (loop (fx+ i 1))))))))

(define (global-value symbol)
  (##global-var-ref (##make-global-var symbol)))

(define (set-global! symbol value)
  (##global-var-set! (##make-global-var symbol) value))

(define (unbind-all! namespace)
  (for-each (lambda (symbol) (set-global! symbol #!unbound))
            (symbols-with-prefix (namespace-prefix namespace))))

;; ---- a run of passes ---------------------------------------------------------------------------------

(define (call-with-environment source-name assigned body)
  (let* ((namespace (take-namespace!))
         (environment (make-environment namespace source-name assigned '() '() #f #f #f #f #f))
         (taken? #t))
    (dynamic-wind
     (lambda () #f)
     (lambda () (body environment))
     (lambda ()
       (if taken?
           (begin
             (set! taken? #f)
             (if (environment-top environment) (unbind-all! namespace))
             (set! free-namespaces (cons namespace free-namespaces))))))))

(define (full-name environment name)
  (let* ((namespace (environment-namespace environment))
         (known (table-ref (namespace-full-names namespace) name #f)))
    (or known
        (let ((full (string->symbol (string-append (namespace-prefix namespace) (symbol->string name)))))
          (table-set! (namespace-full-names namespace) name full)
          full))))

;; The names of the pass before are gone. Nothing is done for them until the pass uses its Scheme, because
;; many sources use none.
(define (environment-start-pass! environment bindings instead)
  (environment-bindings-set! environment bindings)
  (environment-instead-set! environment instead)
  (environment-origins-set! environment
    (new-origins (namespace-prefix (environment-namespace environment))))
  (environment-started?-set! environment #f))

(define (start! environment)
  (let* ((namespace (environment-namespace environment))
         (top (##top-cte-clone (namespace-top namespace)))
         (instead (environment-instead environment))
         (assigned (append (map car instead) (environment-assigned environment)))
         (reserved (make-table test: eq?)))
    (unbind-all! namespace)
    (for-each
     (lambda (binding)
       (table-set! reserved (car binding) #t)
       (set-global! (full-name environment (car binding)) (cdr binding)))
     (environment-bindings environment))
    (##eval-top (##make-source `(##namespace (,(namespace-prefix namespace) list ,@assigned)) #f) top)
    (for-each
     (lambda (name)
       (if (memq name standard-names)
           (set-global! (full-name environment name) (global-value name))))
     assigned)
    (for-each
     (lambda (binding) (set-global! (full-name environment (car binding)) (cdr binding)))
     instead)
    (environment-reserved-set! environment reserved)
    (environment-top-set! environment top)
    (environment-started?-set! environment #t)))

(define (need! environment)
  (if (not (environment-started? environment)) (start! environment)))

;; Whether the assembler itself binds the name.
(define (environment-reserved? environment name)
  (need! environment)
  (table-ref (environment-reserved environment) name #f))

;; The value of a variable of the source, or `none`.
(define (environment-variable environment name none)
  (if (environment-started? environment)
      (let ((value (global-value (full-name environment name))))
        (if (##unbound? value) none value))
      none))

(define (environment-define! environment name value)
  (need! environment)
  (set-global! (full-name environment name) value))

;; All names that are bound in the source's namespace.
(define (environment-names environment)
  (need! environment)
  (map (lambda (symbol) (without-namespace environment (symbol->string symbol)))
       (filter (lambda (symbol) (not (##unbound? (global-value symbol))))
               (symbols-with-prefix (namespace-prefix (environment-namespace environment))))))

;; ---- the random generator ----------------------------------------------------------------------------

(define initial-random-state (random-source-state-ref (make-random-source)))

;; Calls thunk with the random generator as every pass finds it, and puts back what was there before.
(define (with-fresh-random-state thunk)
  (let ((inside initial-random-state)
        (outside #f))
    (dynamic-wind
     (lambda ()
       (set! outside (random-source-state-ref default-random-source))
       (random-source-state-set! default-random-source inside))
     thunk
     (lambda ()
       (set! inside (random-source-state-ref default-random-source))
       (random-source-state-set! default-random-source outside)))))

;; ---- evaluation --------------------------------------------------------------------------------------

;; The value of a form that belongs to a statement in `line`.
(define (environment-eval environment datum line)
  (need! environment)
  (environment-call environment line
                    (lambda () (##eval-top (keep-calls datum (environment-assigned environment))
                                           (environment-top environment)))))

;; The value; the lists in it are remembered with the calls of the source that are now under way, which made them, and
;; with a place in a library's macro, or #f.
(define (environment-note-origin! environment value lists macro)
  (continuation-capture
   (lambda (inner)
     (if (environment-outer environment)
         (for-each (lambda (list)
                     (origins-note! (environment-origins environment) list inner (environment-outer environment) macro))
                   lists))
     value)))

;; Where a list was made, for environment-places; #f where that is not known.
(define (environment-origin environment list)
  (origins-of (environment-origins environment) list))

;; The places in the source that led there, the outermost first.
(define (environment-places environment origin)
  (origin-places (environment-origins environment) origin))

;; The same, and behind them the place in the library's macro that made it.
(define (environment-all-places environment origin)
  (append (environment-places environment origin) (origin-macros origin)))

;; Calls a procedure of the source. An exception of its code becomes a problem that tells what happened,
;; and which of the source's procedures were on the way.
(define (environment-call environment line thunk)
  (continuation-capture
   (lambda (outer)
     (environment-outer-set! environment outer)
     (with-exception-handler
      (lambda (exception)
        (if (or (stack-overflow-exception? exception) (heap-overflow-exception? exception))
            (continuation-graft outer out-of-memory)
            (continuation-capture
             (lambda (inner)
               (continuation-graft
                outer
                (lambda ()
                  (raise (problem-add-notes (exception->problem environment exception)
                                            (call-notes environment inner outer line)))))))))
      thunk))))

;; The calls that are under way are what fills the memory, so they are let go before anything is said.
(define (out-of-memory)
  (fail "this Scheme code used up the memory that it may have: does a procedure call itself without an end?"))

(define (exception->problem environment exception)
  (define (problem message)
    (make-problem (without-namespace environment message) '() #f #f))
  (cond ((problem? exception) exception)
        ((asm-error? exception)
         (problem (text "an assembly within this source failed:\n" (asm-error->text exception))))
        ((unbound-global-exception? exception)
         (let ((name (without-namespace
                      environment
                      (symbol->string (unbound-global-exception-variable exception)))))
           (problem (text "the Scheme variable `" name "` is not defined"
                          (cond ((memq (string->symbol name) (environment-assigned environment))
                                 " yet: forms run in the order of the source")
                                ((label? environment name)
                                 (text "; the label's address is (address " (written name) ")"))
                                ((string-prefix? "$" name)
                                 "; (use asm/library/structured) brings $if, $while and others")
                                (else (did-you-mean name (environment-names environment))))))))
        ((expression-parsing-exception? exception)
         (let ((place (own-place environment
                                 (##source-locat (expression-parsing-exception-source exception)))))
           (make-problem (text "Scheme: " (without-namespace environment (exception->text exception)))
                         (syntax-notes environment exception)
                         (and place (car place))
                         (and place (cdr place)))))
        ((waiting-argument exception)
         => (lambda (expression)
              (problem (text "`" (procedure-name (type-exception-procedure exception)) "` cannot compute with "
                             (expression->text expression) ", which is known only when the program is linked: "
                             "what can wait is + - * / quotient remainder modulo abs min max arithmetic-shift "
                             "and bitwise-…"))))
        ((error-exception? exception)
         (problem (exception->text exception)))
        ((or (string? exception) (symbol? exception) (number? exception) (pair? exception))
         (problem (text "Scheme raised " (written exception))))
        (else
         (problem (text "Scheme: " (exception->text exception))))))

;; What the source itself would ask, in this pass.
(define (label? environment name)
  (let ((defined? (assq 'defined? (environment-bindings environment))))
    (and defined? ((cdr defined?) name))))

;; The expression that a procedure did not take for a number, or #f.
(define (waiting-argument exception)
  (and (type-exception? exception)
       (find expression? (type-exception-arguments exception))))

(define (procedure-name procedure)
  (or (and (procedure? procedure) (##procedure-name procedure)) procedure))

;; Some mnemonics are syntax of Scheme.
(define (syntax-notes environment exception)
  (let ((parameters (expression-parsing-exception-parameters exception)))
    (if (and (eq? (expression-parsing-exception-kind exception) 'macro-used-as-variable)
             (pair? parameters)
             (symbol? (car parameters))
             (environment-reserved? environment (car parameters)))
        (list (text "in a list, the instruction is written '" (car parameters)))
        '())))

;; Names as the source has them.
(define (without-namespace environment string)
  (string-replace string (namespace-prefix (environment-namespace environment)) ""))

;; (line . column) of a position in this source, or #f.
(define (own-place environment locat)
  (and locat
       (eq? (##locat-container locat) (environment-source-name environment))
       (locat-place locat)))

(define (locat-place locat)
  (let ((position (##position->filepos (##locat-position locat))))
    (cons (+ 1 (##filepos-line position)) (+ 1 (##filepos-col position)))))

(define most-calls 8)

;; A line for each activation of a procedure of the source or of what it includes, innermost first. Of the
;; frames only those are the source's that the continuation has more than it had when the form was begun.
;; The statement's own form, which is no procedure, is left out: the message already stands there.
(define (call-notes environment inner outer line)
  (let loop ((frame (##continuation-first-frame inner #f))
             (left (- (##continuation-count-frames inner #f) (##continuation-count-frames outer #f)))
             (notes '()))
    (if (or (not frame) (<= left 0) (= (length notes) most-calls))
        (reverse notes)
        (let ((note (call-note environment
                               (##continuation-creator frame)
                               (##continuation-locat frame)
                               line)))
          (loop (##continuation-next-frame frame #f)
                (- left 1)
                (if note (cons note notes) notes))))))

;; A note for one activation, or #f where it is the assembler's own or the statement.
(define (call-note environment creator locat line)
  (let* ((name (and creator (##procedure-name creator)))
         (name (and name (without-namespace environment (symbol->string name))))
         (own (own-place environment locat)))
    (and locat
         (##container->path (##locat-container locat))
         (not (and name (string-prefix? "asm/" name)))
         (not (and own (not name) (= (car own) line)))
         (let* ((place (locat-place locat))
                (where (place->text (if own
                                        (environment-source-name environment)
                                        (##container->path (##locat-container locat)))
                                    (car place) (cdr place))))
           (if name
               (text "in `" name "`, " where)
               (text "called from " where))))))
