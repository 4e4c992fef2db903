;; Sources to objects: what the linker makes programs of.
;;
;; An object is the assembled source with its Scheme run and its macros expanded. Its sections hold their
;; bytes, with stand-ins where something depends on an address; its parts, in the order of the source, are
;; what the linker does once more when it knows the other objects: it runs them as a pass of the assembler
;; runs statements, so that what is linked is what one assembly would have made.
;;
;;   (define o (asm-object-file "main.s"))
;;   (map object-section-name (vector->list (object-sections o)))   => (".text" ".data")
(module asm/object)
(use scheme-lib/util)
(use asm/diagnostic)
(use asm/statement)
(use asm/expression)
(use asm/define)
(use asm/assembly)
(use asm/tables)
(use asm/program)
(use asm/reader)
(use asm/runs)
(declare (standard-bindings) (extended-bindings) (block))

(define-type object
  (name)       ; as errors show it: a path, or lib.a(member.o)
  sections     ; a vector
  symbols      ; a vector; parts and expressions mean a symbol by its index
  parts        ; a list
  definitions) ; of instructions, as asm/define has them

(define-type object-section
  name
  protection      ; "rx", "rw", …
  address         ; where it must begin, or #f
  keep?           ; not dropped when nothing needs it
  bytes           ; a u8vector
  memory-length)  ; at least the bytes; what is behind them is zeros

(define-type object-symbol
  name
  binding     ; global, weak or local
  defined?    ; here
  hidden?     ; a numeric or .L label, or a place that only Scheme knows: no program lists it
  file        ; where it is defined: #f if it is not
  line
  column)

;; what                                meaning
;; (statement file line column code?)  a statement begins, to which the next parts belong; with code, a line
;;                                     of the line table
;; (run file line column places)           statements of code, one behind the other, each an instruction that is the
;;                                     same everywhere; places as in asm/runs
;; (made file line column calls)       a line of the line table, with the macros that led to it: lists of
;;                                     macro, file, line and column, each called by the one before it
;; (label symbol)
;; (value symbol value kind)           kind: label, or set
;; (instruction entry fields line column)   a field is encoded, or an expression; the place is the operand's
;; (directive name operands line column)    an operand is an integer, an expression or a u8vector
;; (import name)
;; (entry address)                     an integer or expression
;; (view name text)                    name: a Scheme symbol
(define-type part
  section     ; index; #f where there is none yet
  offset      ; in the object's section
  length      ; of the bytes that stand in for it
  what)

;; Does (action at file line column calls) for each line of the line table that begins `at` bytes behind the part's
;; offset.
(define (part-for-each-line action part)
  (let ((what (part-what part)))
    (case (car what)
      ((statement) (if (list-ref what 4) (action 0 (cadr what) (caddr what) (cadddr what) '())))
      ((made) (apply action 0 (cdr what)))
      ((run)
       (for-each-place (lambda (at size line column) (action at (cadr what) line column '()))
                       (list-ref what 4)
                       (caddr what))))))

(define (part-deferred? part)
  (memq (car (part-what part)) '(instruction directive)))

;; The expressions that a part holds.
(define (part-expressions part)
  (let ((what (part-what part)))
    (filter expression?
            (case (car what)
              ((value) (list (caddr what)))
              ((entry) (list (cadr what)))
              ((instruction directive) (caddr what))
              (else '())))))

(define (object-symbol-visible? symbol)
  (and (memq (object-symbol-binding symbol) '(global weak)) #t))

;; ---- assemblies to objects ---------------------------------------------------------------------------

(define (asm-object-file path)
  (assemble-to-object (read-source-file path)))

(define (asm-object-string string #!key (name "text"))
  (assemble-to-object (read-source name string)))

(define (assemble-to-object source)
  (assemble-whole source 'object (lambda (a) (assembly->object a source))))

(define (assembly->object a source)
  (let* ((sections (reverse (assembly-sections a)))
         (numbers (make-table test: eq?))    ; section -> its index
         (indices (make-table test: eq?))    ; symbol key -> its index
         (keys '())
         (parts '()))
    (define (index-of key)
      (or (table-ref indices key #f)
          (let ((index (table-length indices)))
            (table-set! indices key index)
            (set! keys (cons key keys))
            index)))
    (define (renamed x) (expression-with-keys x index-of))
    (define (add! section offset length . what)
      (set! parts (cons (make-part section offset length what) parts)))
    (define (add-event! event)
      (let* ((what (event-what event))
             (section (event-section event))
             (place (event-place event))
             (number (and section (table-ref numbers section))))
        (define (deferred head)
          (add! number (event-offset event) (event-length event)
                (car what) head (map renamed (caddr what)) (car place) (cdr place)))
        (case (car what)
          ((label) (add! number (event-offset event) 0 'label (index-of (cadr what))))
          ((value)
           (add! number (event-offset event) 0
                 'value (index-of (cadr what)) (renamed (caddr what)) (cadddr what)))
          ((instruction directive) (deferred (cadr what)))
          ((import) (add! number (event-offset event) 0 'import (cadr what)))
          ((view) (add! number (event-offset event) 0 'view (cadr what) (caddr what)))
          ((entry) (add! number (event-offset event) 0 'entry (renamed (cadr what))))
          ((made)
           (let ((made (cadr what)))
             (if (and made (section-executable? (made-section made)))
                 (apply add! (table-ref numbers (made-section made)) (made-offset made) 0
                        'made (append (made-source made) (list (made-calls made))))))))))
    (define (begin-statement! event)
      (let* ((statement (event-statement event))
             ;; The first statement of a source may be what begins its section.
             (section (or (event-section event) (statement-section statement)))
             (number (and section (table-ref numbers section)))
             (file (source-file-name (statement-file statement))))
        (if (eq? (statement-kind statement) 'run)
            (add! number (event-offset event) 0
                  'run file (statement-line statement) (statement-column statement) (statement-head statement))
            (add! number (event-offset event) 0
                  'statement file (statement-line statement) (statement-column statement)
                  (and (code-statement? statement) #t)))))
    (for-each (lambda (section) (table-set! numbers section (table-length numbers))) sections)
    (let loop ((events (reverse (assembly-events a))) (before #f))
      (if (pair? events)
          (let ((event (car events)))
            (if (and (not (eq? before (event-statement event)))
                     (or (not (eq? 'line (car (event-what event))))
                         (code-statement? (event-statement event))
                         (same-statement-next? event (cdr events))))
                (begin-statement! event))
            (add-event! event)
            (loop (cdr events) (event-statement event)))))
    (check-locals a)
    (make-object (source-name source)
                 (list->vector (map section->object-section sections))
                 (list->vector (map (lambda (key) (key->object-symbol a key)) (reverse keys)))
                 (reverse parts)
                 (sort (assembly-definitions a)
                       (lambda (x y) (< (definition-opcode x) (definition-opcode y)))))))

(define (same-statement-next? event rest)
  (and (pair? rest) (eq? (event-statement event) (event-statement (car rest)))))

(define (section->object-section section)
  (make-object-section (section-name section) (section-protection section) (section-address section)
                       (section-keep? section)
                       (section-content section) (section-size section)))

(define (key->object-symbol a key)
  (let* ((entry (symbol-in-pass a key))
         (hidden? (and entry (symbol-entry-local? entry))))
    (make-object-symbol
     (symbol->string (if entry (symbol-entry-name entry) key))
     (case (symbol-binding a key)
       ((global) 'global)
       ((weak) 'weak)
       (else (if entry 'local 'global)))
     (and entry #t)
     hidden?
     (and entry (source-file-name (symbol-entry-file entry)))
     (if entry (car (symbol-entry-place entry)) 0)
     (if entry (cdr (symbol-entry-place entry)) 0))))

;; What is said to be local must be here.
(define (check-locals a)
  (for-each
   (lambda (name)
     (if (not (symbol-in-pass a name))
         (raise (make-asm-error
                 (list (make-asm-diagnostic
                        (source-name (assembly-source a)) 0 0
                        (text "the label `" name
                              "` is not defined, but `.local` says that it is this object's own"
                              (did-you-mean (symbol->string name)
                                            (map (lambda (entry) (symbol->string (symbol-entry-name entry)))
                                                 (symbol-entries a))))
                        '() #f))))))
   (names-bound a 'local)))
