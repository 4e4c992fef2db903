;; The state of one assembly: sections with their bytes, symbols, imports, and what must be compared with
;; the pass before to know whether everything has settled.
;;
;; Labels are (section, offset). In a pass, a label that was already met has its address of this pass; one
;; that comes later has that of the pass before, moved by as much as the code before it has moved since.
;; The layout has settled when a pass moved nothing: then all that was used was right.
;;
;; In an assembly into an object, addresses are expressions, what depends on them is emitted as if they were
;; 0, and the events of the last pass say what the linker must do again, in order.
(module asm/assembly)
(use scheme-lib/util)
(use asm/number)
(use asm/diagnostic)
(use asm/statement)
(use asm/expression)
(use asm/define)
(use vm-ext/gambit/vm)
(use asm/environment)
(use asm/reader)
(declare (standard-bindings) (extended-bindings) (block))

(define page-size 65536)

;; All sections together may take so much of the machine's memory, and have so many bytes in the file.
(define memory-limit (expt 2 30))
(define bytes-limit (expt 2 28))

(define-type assembly
  source
  environment
  mode              ; program; live: straight into a machine, one section; object: for the linker; link: by it
  base              ; where the first section begins
  external          ; name -> its value in the surroundings, or #f
  first-imports     ; the import list that is there already
  symbols           ; table: symbol -> symbol-entry
  (pass)
  (sections)        ; in order of appearance, reversed
  (named-sections)  ; table: a name -> the section
  (section)         ; the current one, or #f
  (imports)         ; names, reversed
  (import-indices)  ; table: a name -> its index
  (changed?)        ; something moved in this pass
  (unknown?)        ; a label was used of which nothing was known yet
  (total)           ; bytes of all sections
  (statement)
  (operand)         ; the name or form that is being resolved, or #f
  (drift)           ; how much this statement has moved within its section since the pass before
  (sizes-before)    ; of this statement's items
  (sizes)           ; reversed
  (item-count)      ; so many sizes there are
  (met)             ; the entry of the symbol that was asked for last, or #f
  (target)          ; what asm/relax knows of where the instruction under way leads: a symbol's entry and a number; or #f
  (pieces)          ; asm/relax's, reversed
  (unique)          ; counter
  (diagnostics)     ; pairs of a problem's kind and its diagnostic, reversed
  (warnings)        ; diagnostics, reversed
  (counts)          ; table: numeric label -> how many of it this pass has met
  (scope)           ; the last label written as a line's, to which names that begin with .L belong
  (repeated)        ; statements that this pass has run in rounds of .rept and .irp
  (files)           ; table: path -> what .incbin found there
  (isa)             ; an image with this pass's definitions, which knows what operands they allow; or #f
  first-definitions ; those that are there already
  (definitions)     ; asm/define's definitions that this pass has met
  (names-lost?)     ; a form failed in this pass, which may have given labels
  (bindings)        ; table: name -> a pair of global, weak, local or extern, and how many came before
  (bindings-before) ; of the pass before
  (events)          ; of an object, reversed
  (made)            ; what forms made in this pass, reversed
  (entry)           ; the address that .entry gives, or #f
  (resized)         ; forms that made something else in this pass than in the one before, reversed
  (states)          ; table: what libraries of macros remember during a pass
  (views))          ; table: a symbol -> the text that says how a debugger shows what is there

;; The assembly that is under way, for libraries of macros; #f where none is.
(define current-assembly (make-parameter #f))

;; The bytes of a section from offset to end, which a form of `statement` made. origin: of asm/environment, or #f;
;; places: in the source's Scheme, that led to them, the outermost first; () until the passes are over.
(define-type made section offset (end) (origin) (places) statement instruction?)

(define (new-assembly source environment mode base external imports definitions)
  (make-assembly source environment mode base external imports (make-table test: eq?)
                 0 '() (make-table test: equal?) #f '() #f #f #f 0 #f #f 0 '() '() 0 #f #f '() 0 '() '() #f "" 0
                 (make-table test: equal?) #f definitions '() #f (make-table test: eq?) #f '() '() #f '() #f #f))

(define (assembly-object? a)
  (eq? (assembly-mode a) 'object))

;; ---- passes ------------------------------------------------------------------------------------------

(define (start-pass! a)
  (assembly-pass-set! a (+ 1 (assembly-pass a)))
  (assembly-imports-set! a '())
  (assembly-import-indices-set! a (make-table test: equal?))
  (for-each (lambda (name) (add-import! a name)) (assembly-first-imports a))
  (assembly-definitions-set! a '())
  (assembly-isa-set! a #f)
  (assembly-changed?-set! a #f)
  (assembly-unknown?-set! a #f)
  (assembly-total-set! a 0)
  (assembly-unique-set! a 0)
  (assembly-diagnostics-set! a '())
  (assembly-names-lost?-set! a #f)
  (assembly-warnings-set! a '())
  (assembly-counts-set! a (make-table test: eq?))
  (assembly-scope-set! a "")
  (assembly-repeated-set! a 0)
  (assembly-bindings-before-set! a (assembly-bindings a))
  (assembly-bindings-set! a (make-table test: eq?))
  (assembly-events-set! a '())
  (assembly-made-set! a '())
  (assembly-pieces-set! a '())
  (assembly-entry-set! a #f)
  (assembly-resized-set! a '())
  (assembly-states-set! a (make-table test: eq?))
  (assembly-views-set! a (make-table test: eq?))
  (for-each
   (lambda (section)
     (section-size-set! section 0)
     (section-filled-set! section 0)
     (section-fragment-set! section 0)
     (section-seen?-set! section #f))
   (assembly-sections a))
  ;; A source begins in .text, which comes to be when something is put there.
  (let ((section (find-section a ".text")))
    (assembly-section-set! a section)
    (if section (section-seen?-set! section #t))))

;; Sections that only earlier passes had go; the others get the addresses of the next pass.
(define (finish-pass! a)
  (let ((kept (filter section-seen? (assembly-sections a))))
    (if (not (= (length kept) (length (assembly-sections a)))) (assembly-changed?-set! a #t))
    (for-each (lambda (section)
                (if (not (section-seen? section)) (table-set! (assembly-named-sections a) (section-name section))))
              (assembly-sections a))
    (assembly-sections-set! a kept))
  (place-sections! a)
  (if (pair? (unsettled-symbols a)) (assembly-changed?-set! a #t))
  (if (not (assembly-object? a)) (check-places! a)))

(define (place-sections! a)
  (let loop ((sections (reverse (assembly-sections a))) (base (assembly-base a)))
    (if (pair? sections)
        (let* ((section (car sections))
               (base (or (section-address section) base)))
          (if (not (= base (section-base section)))
              (begin
                (section-base-set! section base)
                (assembly-changed?-set! a #t)))
          (loop (cdr sections)
                (page-after (+ base (max 1 (section-size section)))))))))

;; Sections that were given an address must not meet others.
(define (check-places! a)
  (let loop ((sections (sort (filter (lambda (section) (> (section-size section) 0)) (assembly-sections a))
                             (lambda (x y) (< (section-base x) (section-base y))))))
    (if (pair? sections)
        (let* ((section (car sections))
               (end (+ (section-base section) (section-size section)))
               (next (and (pair? (cdr sections)) (cadr sections))))
          (if (> end (expt 2 64)) (refuse-place! a section (text "ends behind the address space")))
          (if (and next
                   (or (> end (section-base next))
                       (and (> (page-after end) (section-base next))
                            (not (string=? (section-protection section) (section-protection next))))))
              (refuse-place! a
                             (if (section-address next) next section)
                             (text "shares "
                                   (if (> end (section-base next)) "addresses" "a page, which has one protection,")
                                   " with the section `"
                                   (section-name (if (section-address next) section next)) "`")))
          (loop (cdr sections))))))

(define (refuse-place! a section problem)
  (assembly-statement-set! a (section-statement section))
  (assembly-operand-set! a #f)
  (note-problem! a (make-problem (text "the section `" (section-name section) "` at "
                                       (hex-address (section-base section)) " " problem
                                       ": place it elsewhere")
                                 '() #f #f)))

(define (page-after address)
  (* page-size (quotient (+ address page-size -1) page-size)))

;; A statement remembers where it stood; one that stands elsewhere now has moved.
(define (start-statement! a statement)
  (let ((section (assembly-section a)))
    (assembly-statement-set! a statement)
    (assembly-operand-set! a #f)
    (assembly-sizes-set! a '())
    (assembly-item-count-set! a 0)
    (assembly-sizes-before-set! a (statement-sizes statement))
    (if (and section (eq? section (statement-section statement)))
        (let ((drift (- (section-size section) (statement-offset statement))))
          (assembly-drift-set! a drift)
          (if (not (eqv? drift 0)) (assembly-changed?-set! a #t)))
        (begin
          (assembly-drift-set! a 0)
          (if (statement-section statement) (assembly-changed?-set! a #t))))
    (statement-section-set! statement section)
    (if section (statement-offset-set! statement (section-size section)))))

;; The first statement of a source may be the one that begins the first section.
(define (finish-statement! a statement)
  (if (and (= (assembly-pass a) 1) (not (statement-section statement)))
      (statement-section-set! statement (assembly-section a)))
  (let ((sizes (reverse (assembly-sizes a))))
    (if (not (equal? sizes (statement-sizes statement)))
        (begin
          (if (and (eq? (statement-kind statement) 'form)
                   (not (= (length sizes) (length (statement-sizes statement)))))
              (assembly-resized-set! a (cons statement (assembly-resized a))))
          (statement-sizes-set! statement sizes)
          (if (> (assembly-pass a) 1) (assembly-changed?-set! a #t))))))

;; ---- instructions that are not the table's -----------------------------------------------------------

;; The definition of a mnemonic: one of this source, of the machine that it goes to, or of a library.
(define (assembly-definition a name)
  (or (definition-named name (assembly-definitions a))
      (let ((found (or (defined-by-library name)
                       (definition-named name (assembly-first-definitions a)))))
        (and found
             (let ((placed (with-own-opcode a found)))
               (note-definition! a placed)
               placed)))))

(define (assembly-definition-of-opcode a opcode)
  (let ((of-opcode (lambda (definitions)
                     (find (lambda (each) (eqv? (definition-opcode each) opcode)) definitions))))
    (or (of-opcode (assembly-definitions a))
        (let ((found (of-opcode (assembly-first-definitions a))))
          (and found (assembly-definition a (definition-name found)))))))

;; What stands in the machine keeps its opcode, and no two have one.
(define (opcode-there a name)
  (let ((there (definition-named name (assembly-first-definitions a))))
    (and there (definition-opcode there))))

(define (taken-opcodes a)
  (map definition-opcode (append (assembly-first-definitions a) (assembly-definitions a))))

(define (with-own-opcode a definition)
  (let ((there (opcode-there a (definition-name definition))))
    (cond ((eqv? there (definition-opcode definition)) definition)
          (there (definition-with-opcode definition there))
          ((memv (definition-opcode definition) (taken-opcodes a))
           (definition-with-opcode definition (free-opcode (definition-name definition) (taken-opcodes a))))
          (else definition))))

(define (note-definition! a definition)
  (if (not (assembly-isa a)) (assembly-isa-set! a (vm-image-new)))
  (in-machine-words definition
    (lambda ()
      (vm-image-add-instruction (assembly-isa a) (definition-name definition) (definition-opcode definition)
                                (definition-kinds definition) (definition-meaning definition)
                                (definition-body definition))))
  (assembly-definitions-set! a (cons definition (assembly-definitions a))))

;; (define-instruction …) of the source.
(define (define-in-assembly! a form)
  (let* ((name (and (pair? form) (pair? (car form)) (symbol? (caar form)) (symbol->string (caar form))))
         (definition (form->definition form (taken-opcodes a) (and name (opcode-there a name)))))
    (if (definition-named name (assembly-definitions a))
        (fail "the instruction `" name "` is defined already, or was used before it was defined"))
    (note-definition! a definition)
    '()))

;; All mnemonics that are not the table's.
(define (defined-names a)
  (append (map definition-name (append (assembly-definitions a) (assembly-first-definitions a)))
          (map (lambda (row) (symbol->string (car row))) (defined-instructions))))

;; Operands that the definition does not allow.
(define (check-defined! a definition bytes)
  (in-machine-words definition
    (lambda () (vm-decode bytes 0 (u8vector-length bytes) (assembly-isa a)))))

;; ---- diagnostics -------------------------------------------------------------------------------------

;; Its own place, or that of the operand or the statement that was under way. problem: #f for the latter.
(define (problem-place a problem)
  (let ((statement (assembly-statement a))
        (operand (assembly-operand a)))
    (cond ((and problem (problem-line problem)) (cons (problem-line problem) (problem-column problem)))
          ((name? operand) (cons (name-line operand) (name-column operand)))
          ((form? operand) (cons (form-line operand) (form-column operand)))
          (else (cons (statement-line statement)
                      (or (and operand (literal-column statement operand)) (statement-column statement)))))))

;; Where in the text of a directive a number or string stands, which does not know it; or #f.
(define (literal-column statement operand)
  (let* ((operands (statement-operands statement))
         (tail (and (eq? (statement-kind statement) 'directive) (list? operands) (memv operand operands)))
         (line (and tail (source-file-line (statement-file statement) (statement-line statement)))))
    (and line
         (let ((index (- (length operands) (length tail)))
               (columns (operand-columns line (statement-column statement))))
           (and (< index (length columns)) (list-ref columns index))))))

;; A problem becomes a diagnostic of this pass.
(define (note-problem! a problem)
  (let* ((kind (problem-kind problem))
         (noted (assembly-diagnostics a))
         (diagnostic (and (< (length (filter (lambda (entry) (eq? (car entry) kind)) noted)) asm-diagnostic-limit)
                          (problem->diagnostic a problem (problem-place a problem) 'error))))
    ;; Repeated lines make the same mistake each time.
    (if (and diagnostic (not (any (lambda (entry) (same-diagnostic? (cdr entry) diagnostic)) noted)))
        (assembly-diagnostics-set! a (cons (cons kind diagnostic) noted)))))

;; Words that suggest the nearest of the names that the thunk gives; none when so many mistakes were noted that what
;; is said of this one will hardly be shown: a source can have very many of both.
(define (near-name a word names)
  (if (< (length (assembly-diagnostics a)) asm-diagnostic-limit)
      (did-you-mean word (names))
      ""))

(define (same-diagnostic? x y)
  (and (equal? (asm-diagnostic-message x) (asm-diagnostic-message y))
       (equal? (asm-diagnostic-file x) (asm-diagnostic-file y))
       (eqv? (asm-diagnostic-line x) (asm-diagnostic-line y))
       (eqv? (asm-diagnostic-column x) (asm-diagnostic-column y))))

(define (problem->diagnostic a problem place severity)
  (let ((file (statement-file (assembly-statement a))))
    (make-asm-diagnostic (source-file-name file) (car place) (cdr place)
                         (problem-message problem)
                         (append (problem-notes problem) (source-file-chain file))
                         (source-file-line file (car place))
                         severity)))

(define (note-warning-at! a statement message)
  (assembly-statement-set! a statement)
  (assembly-operand-set! a #f)
  (note-warning! a message))

(define (note-warning! a message)
  (note-warning-of! a (make-problem message '() #f #f)))

(define (note-warning-of! a problem)
  (if (< (length (assembly-warnings a)) asm-diagnostic-limit)
      (assembly-warnings-set! a
        (cons (problem->diagnostic a problem (problem-place a problem) 'warning)
              (assembly-warnings a)))))

;; The diagnostics of the pass, in order. A label that only the failure of something else has left without
;; a definition is no mistake of its own, and is told of only where there is nothing else to tell.
(define (assembly-errors a)
  (define (of-kinds kinds)
    (map cdr (filter (lambda (entry) (memq (car entry) kinds)) (reverse (assembly-diagnostics a)))))
  (let ((errors (of-kinds (if (assembly-names-lost? a) '(#f) '(#f undefined)))))
    (if (pair? errors) errors (of-kinds '(undefined lost)))))

;; Does (run item) for each item, and goes on with the next one where there is a problem, which `report`
;; gets.
(define (for-each-guarded run items report)
  (let ((left items))
    (let resume ()
      (let ((problem (with-exception-catcher
                      (lambda (exception)
                        (if (problem? exception) exception (raise exception)))
                      (lambda ()
                        (let loop ()
                          (if (pair? left)
                              (let ((item (car left)))
                                (set! left (cdr left))
                                (run item)
                                (loop))))
                        #f))))
        (if problem
            (begin
              (report problem)
              (resume)))))))

;; ---- items -------------------------------------------------------------------------------------------

;; What a statement emits in pieces whose size may depend on addresses. The first passes find the shortest
;; sizes; from then on a piece never shrinks, so that pieces cannot push each other to and fro for ever.
(define free-passes 3)

;; The least size for the next item.
(define (item-least a)
  (let ((before (assembly-sizes-before a)))
    (if (and (pair? before) (> (assembly-pass a) free-passes))
        (car before)
        0)))

(define (note-item! a size)
  (if (pair? (assembly-sizes-before a))
      (assembly-sizes-before-set! a (cdr (assembly-sizes-before a))))
  (assembly-sizes-set! a (cons size (assembly-sizes a)))
  (assembly-item-count-set! a (fx+ 1 (assembly-item-count a))))

;; ---- sections ----------------------------------------------------------------------------------------

(define-type section
  name
  protection        ; "rwx" or a part of it, in this order
  no-bits?          ; holds zeros only, which are not stored
  address           ; where .section says that it begins, or #f
  statement         ; that said so
  (base)
  (size)
  (bytes)           ; a u8vector with room to grow
  (filled)          ; so many of its bytes are written; what lies between that and size is zeros
  (seen?)           ; in this pass
  (keep?)           ; stays when the linker drops what nothing needs
  (fragment))       ; of an object: counts what has no size yet

;; ---- events ------------------------------------------------------------------------------------------

;; What the linker must do again. The operands of what depends on addresses are integers and expressions.
;;
;;   what                          meaning
;;   (line)                        the statement begins here
;;   (made made)                   and here, something that its Scheme made; #f where that had no bytes
;;   (label key)                   a symbol is defined here
;;   (value key value kind)        a symbol has an integer or expression as its value
;;   (instruction entry fields)    fields are encoded, or expressions
;;   (directive name operands)
;;   (import name)                 a host call joins the import list
;;   (view name text)              how to show what is at a symbol
;;   (entry address)               an integer or expression: where the program begins
(define-type event
  section
  offset
  length      ; bytes that stand in for what the linker will put there
  statement
  place       ; of the operand, as a pair of line and column
  what)

(define (note-event! a length what)
  (if (assembly-object? a)
      (let ((section (assembly-section a)))
        (assembly-events-set! a
          (cons (make-event section (if section (- (section-size section) length) 0) length
                            (assembly-statement a) (problem-place a #f) what)
                (assembly-events a)))))
  #!void)

;; Notes what `emit` emits, a stand-in.
(define (emit-deferred! a what emit)
  (let* ((section (current-section a))
         (start (section-size section)))
    (emit)
    (section-fragment-set! section (+ 1 (section-fragment section)))
    (note-event! a (- (section-size section) start) what)))

(define (section-executable? section)
  (and (string-index (section-protection section) #\x) #t))

(define default-sections
  '((".text" . "rx") (".rodata" . "r") (".data" . "rw") (".bss" . "rw")))

(define (find-section a name)
  (table-ref (assembly-named-sections a) name #f))

;; protection, address: #f for what the section has, or by its name and place should have.
(define (switch-section! a name protection #!optional (address #f))
  (let ((existing (find-section a name)))
    (cond ((and (eq? (assembly-mode a) 'live) (not (string=? name ".text")))
           (fail "the section `" name "` cannot be used here: code that is assembled straight into a machine "
                 "stands at one place; load a program instead, or place its parts one by one"))
          ((not existing)
           (add-section! a name address
                         (or protection
                             (cdr (or (assoc name default-sections)
                                      (fail "the section `" name "` is new: expected a protection, "
                                            "such as .section " name " \"rw\""))))))
          ((and protection (not (string=? protection (section-protection existing))))
           (fail "the section `" name "` has the protection \"" (section-protection existing)
                 "\" already, found \"" protection "\""))
          ((and address (not (eqv? address (section-address existing))))
           (fail "the section `" name "` begins at "
                 (if (section-address existing)
                     (hex-address (section-address existing))
                     "an address that the assembler gives")
                 " already, found " (hex-address address)))
          (else
           (section-seen?-set! existing #t)
           (assembly-section-set! a existing)))))

(define (add-section! a name address protection)
  (if (string=? name "") (fail "expected the name of a section, found an empty string"))
  (check-name name)
  (let* ((last (and (pair? (assembly-sections a)) (car (assembly-sections a))))
         (section (make-section name protection (string=? name ".bss") address (assembly-statement a)
                                ;; A guess; the end of the pass sets it right.
                                (or address (if last (+ (section-base last) page-size) (assembly-base a)))
                                0 (make-u8vector 64) 0 #t #f 0)))
    (if (> (assembly-pass a) 1) (assembly-changed?-set! a #t))
    (assembly-sections-set! a (cons section (assembly-sections a)))
    (table-set! (assembly-named-sections a) name section)
    (assembly-section-set! a section)))

(define (current-section a)
  (if (not (assembly-section a)) (switch-section! a ".text" #f))
  (assembly-section a))

(define (here a)
  (let ((section (assembly-section a)))
    (cond (section (+ (section-base section) (section-size section)))
          ((find-section a ".text") => section-base)
          ((null? (assembly-sections a)) (assembly-base a))
          (else (+ (section-base (car (assembly-sections a))) page-size)))))

;; The bytes that must be stored; the rest of the section's size is zeros.
(define (section-content section)
  (subu8vector (section-bytes section) 0 (section-file-length section)))

(define (section-file-length section)
  (section-filled section))

;; ---- bytes -------------------------------------------------------------------------------------------

(define (grow! a section count)
  (let ((total (+ (assembly-total a) count)))
    (if (> total memory-limit)
        (fail "the program would take " total " bytes of memory: the sections together may have "
              memory-limit))
    (assembly-total-set! a total)))

;; Whether so many bytes can be written at the end; reserve! says what is in their way.
(define (room-for? a count)
  (let ((section (current-section a)))
    (and (not (section-no-bits? section))
         (<= (+ (assembly-total a) count) memory-limit)
         (<= (+ (section-size section) count) bytes-limit))))

;; Makes room for `count` bytes that will be written at the end; the result is their index.
(define (reserve! a count)
  (let* ((section (current-section a))
         (start (section-size section))
         (end (+ start count)))
    (grow! a section count)
    (if (section-no-bits? section)
        (fail "the section `" (section-name section)
              "` holds no bytes, only room: expected .zero or .align here"))
    (if (> end bytes-limit)
        (fail "the section `" (section-name section) "` would have " end " bytes in the image: at most "
              bytes-limit " can be stored"))
    (if (> end (u8vector-length (section-bytes section)))
        (let ((larger (make-u8vector (min bytes-limit (* 2 end)))))
          (subu8vector-move! (section-bytes section) 0 (section-filled section) larger 0)
          (section-bytes-set! section larger)))
    (if (< (section-filled section) start)
        (subu8vector-fill! (section-bytes section) (section-filled section) start 0))
    (section-filled-set! section end)
    (section-size-set! section end)
    start))

(define (emit-bytes! a bytes)
  (let* ((count (u8vector-length bytes))
         (at (if (= count 0) 0 (reserve! a count))))
    (if (> count 0)
        (subu8vector-move! bytes 0 count (section-bytes (assembly-section a)) at))))

(define (emit-byte! a byte)
  (let ((at (reserve! a 1)))
    (u8vector-set! (section-bytes (assembly-section a)) at byte)))

(define (emit-integer! a value size)
  (let ((at (reserve! a size)))
    (put-integer! (section-bytes (assembly-section a)) at value size)))

;; Zeros cost nothing until something is written behind them.
(define (emit-zeros! a count)
  (let ((section (current-section a)))
    (grow! a section count)
    (section-size-set! section (+ (section-size section) count))))

(define (emit-fill! a count byte)
  (cond ((= byte 0) (emit-zeros! a count))
        ((> count 0)
         (let ((at (reserve! a count)))
           (subu8vector-fill! (section-bytes (assembly-section a)) at (+ at count) byte)))))

;; Does (emit), and notes that what it added to the section was made by the statement's Scheme.
(define (emit-made! a origin instruction? emit)
  (let* ((before (assembly-section a))
         (start (if before (section-size before) 0))
         (what (list 'made #f)))
    (note-event! a 0 what)
    (emit)
    (let ((section (assembly-section a))
          (all (assembly-made a)))
      (if (and section (eq? section (or before section)) (> (section-size section) start))
          (if (and (pair? all) (not origin) (not instruction?)
                   (continued? (car all) section start (assembly-statement a)))
              (made-end-set! (car all) (section-size section))
              (let ((made (make-made section start (section-size section) origin '()
                                     (assembly-statement a) instruction?)))
                (set-car! (cdr what) made)
                (assembly-made-set! a (cons made all))))))))

(define (continued? made section start statement)
  (and (not (made-origin made))
       (not (made-instruction? made))
       (eq? (made-section made) section)
       (= (made-end made) start)
       (eq? (made-statement made) statement)))

;; While the source's procedures are there, from whose names the places are.
(define (find-places! a)
  (for-each
   (lambda (made)
     (made-places-set! made (environment-all-places (assembly-environment a) (made-origin made)))
     (made-origin-set! made #f))
   (assembly-made a)))

;; ---- symbols -----------------------------------------------------------------------------------------

(define-type symbol-entry
  name              ; as it is written
  local?            ; its full name is another: it is not shown outside
  (file)
  (section)           ; #f: the offset is the value
  (offset)
  (kind)              ; label, or set
  (line)
  (column)
  (pass)              ; that defined it last
  (used?)
  (section-before)    ; at the end of the pass before
  (offset-before)
  (fragment))         ; of the section, where the label stands

(define nowhere '(nowhere))

(define (value-at section offset)
  (if section (+ (section-base section) offset) offset))

(define (symbol-entry-value entry)
  (value-at (symbol-entry-section entry) (symbol-entry-offset entry)))

;; What the pass before said, or #f where it did not define the symbol.
(define (symbol-entry-value-before entry)
  (and (not (eq? (symbol-entry-section-before entry) nowhere))
       (value-at (symbol-entry-section-before entry) (symbol-entry-offset-before entry))))

(define (symbol-entry-place entry)
  (cons (symbol-entry-line entry) (symbol-entry-column entry)))

(define (define-label! a name line column)
  (define-label-by-key! a (full-name-to-define! a name) name line column))

;; kind: `label` for a name that must be defined once, `set` for one that may change. In an object, the value
;; may be an expression.
(define (define-symbol! a name value kind line column)
  (define-symbol-by-key! a (full-name-to-define! a name) name value kind line column))

;; The key is the symbol's full name, or whatever else tells it from all others; the name is shown.
(define (define-label-by-key! a key written line column)
  (let ((section (current-section a)))
    (define-entry! a key written section (section-size section) 'label line column)
    (symbol-entry-fragment-set! (table-ref (assembly-symbols a) key) (section-fragment section))
    (note-event! a 0 (list 'label key))))

(define (define-symbol-by-key! a key written value kind line column)
  (define-entry! a key written #f value kind line column)
  (note-event! a 0 (list 'value key value kind)))

(define (define-entry! a name written section offset kind line column)
  (let* ((entry (table-ref (assembly-symbols a) name #f))
         (file (statement-file (assembly-statement a)))
         (pass (assembly-pass a)))
    (cond ((not entry)
           ;; Something outside that has the same name was perhaps used instead.
           (if ((assembly-external a) name) (assembly-unknown?-set! a #t))
           (check-name (symbol->string name))
           (table-set! (assembly-symbols a) name
                       (make-symbol-entry written (not (eq? name written)) file section offset kind line column
                                          pass #f nowhere 0 0)))
          ((< (symbol-entry-pass entry) pass)
           (let ((before? (= (symbol-entry-pass entry) (- pass 1))))
             (symbol-entry-section-before-set! entry (if before? (symbol-entry-section entry) nowhere))
             (symbol-entry-offset-before-set! entry (symbol-entry-offset entry))
             (symbol-entry-file-set! entry file)
             (set-entry! entry section offset kind line column pass)))
          ((and (eq? kind 'set) (eq? (symbol-entry-kind entry) 'set))
           (set-entry! entry section offset kind line column pass))
          (else
           (raise (make-problem
                   (text (if (eq? kind 'label) "the label `" "the symbol `") written "` is defined already")
                   (list (first-defined entry file))
                   line column))))))

(define (first-defined entry file)
  (let ((line (symbol-entry-line entry)))
    (cond ((= line 0) "first defined on the command line")
          ((eq? file (symbol-entry-file entry))
           (text "first defined in line " line ", column " (symbol-entry-column entry)))
          (else
           (text "first defined in "
                 (place->text (source-file-name (symbol-entry-file entry)) line (symbol-entry-column entry)))))))

;; ---- local names -------------------------------------------------------------------------------------

;; A numeric label may stand many times: the n-th 1: is 1#n. A name that begins with .L belongs to the label
;; before it: .Lend behind main: is main.Lend, which cannot meet another name's because of the blank.
;; Most names are neither, as their first character shows.
(define (plain-name? string)
  (and (fx> (string-length string) 0)
       (char>? (string-ref string 0) #\9)))

(define (numeric-name? string)
  (and (> (string-length string) 0) (char-numeric? (string-ref string 0))))

(define (scoped-name? string)
  (string-prefix? ".L" string))

(define (full-name-to-define! a name)
  (let ((string (symbol->string name)))
    (cond ((plain-name? string) name)
          ((numeric-name? string)
           (if (not (every char-numeric? (string->list string)))
               (fail "`" name "` cannot be a label: names do not begin with a digit"))
           (let ((n (+ 1 (table-ref (assembly-counts a) name 0))))
             (table-set! (assembly-counts a) name n)
             (numbered-name string n)))
          ((scoped-name? string) (scoped-name a string))
          (else name))))

(define (numbered-name digits n)
  (string->symbol (text digits "#" n)))

(define (scoped-name a string)
  (string->symbol (text (assembly-scope a) " " string)))

;; What a name means where it is used: 1b and 1f are the 1: before and behind.
(define (full-name a name)
  (let ((string (symbol->string name)))
    (cond ((plain-name? string) name)
          ((numeric-name? string)
           (let* ((end (- (string-length string) 1))
                  (digits (substring string 0 end))
                  (met (table-ref (assembly-counts a) (string->symbol digits) 0)))
             (case (string-ref string end)
               ((#\b) (if (= met 0)
                          (fail "there is no label `" digits ":` before this place, which `" name "` means"))
                      (numbered-name digits met))
               ((#\f) (numbered-name digits (+ met 1)))
               (else (fail "`" name "` is no name of a label; the label " name ": is `" name "b` behind it and `"
                           name "f` before it")))))
          ((scoped-name? string) (scoped-name a string))
          (else name))))

;; A label that is written as a line's begins the scope of the .L names that follow.
(define (begin-scope! a name)
  (let ((string (symbol->string name)))
    (if (or (plain-name? string) (not (or (numeric-name? string) (scoped-name? string))))
        (assembly-scope-set! a string))))

;; What an image can hold as a name.
(define longest-name 1000)

(define (possible-name? name)
  (not (or (> (string-length name) longest-name)
           (string-index name control-character?))))

(define (check-name name)
  (if (not (possible-name? name))
      (fail (operand->text name) " cannot be a name: names have up to " longest-name
            " characters, none of them a control character")))

(define (set-entry! entry section offset kind line column pass)
  (symbol-entry-section-set! entry section)
  (symbol-entry-offset-set! entry offset)
  (symbol-entry-kind-set! entry kind)
  (symbol-entry-line-set! entry line)
  (symbol-entry-column-set! entry column)
  (symbol-entry-pass-set! entry pass))

(define (symbol-entry-move! entry by)
  (symbol-entry-offset-set! entry (+ (symbol-entry-offset entry) by)))

(define (symbol-entries a)
  (map cdr (table->list (assembly-symbols a))))

;; The entry of a key that this pass has defined, or #f.
(define (symbol-in-pass a key)
  (let ((entry (table-ref (assembly-symbols a) key #f)))
    (and entry (= (symbol-entry-pass entry) (assembly-pass a)) entry)))

;; The symbols of this pass, by value.
(define (assembly-symbol-list a)
  (sort (filter (lambda (entry)
                  (and (= (symbol-entry-pass entry) (assembly-pass a))
                       (not (symbol-entry-local? entry))))
                (symbol-entries a))
        (lambda (x y)
          (let ((vx (symbol-entry-value x)) (vy (symbol-entry-value y)))
            (or (< vx vy)
                (and (= vx vy)
                     (string<? (symbol->string (symbol-entry-name x))
                               (symbol->string (symbol-entry-name y)))))))))

;; Those that are not where they were in the pass before, with what that pass and this one say.
(define (unsettled-symbols a)
  (if (= (assembly-pass a) 1)
      '()
      (filter
       (lambda (entry)
         (let ((pass (symbol-entry-pass entry)))
           (or (= pass (- (assembly-pass a) 1))
               (and (= pass (assembly-pass a))
                    (not (and (eq? (symbol-entry-section entry) (symbol-entry-section-before entry))
                              (equal? (symbol-entry-offset entry) (symbol-entry-offset-before entry))))))))
       (symbol-entries a))))

;; Whether this pass has met its definition.
(define (symbol-met? a name)
  (let ((entry (table-ref (assembly-symbols a) (full-name a name) #f)))
    (or (and entry (= (symbol-entry-pass entry) (assembly-pass a)))
        (and ((assembly-external a) name) #t))))

(define (symbol-known? a name)
  (let ((entry (table-ref (assembly-symbols a) (full-name a name) #f)))
    (or (and entry (>= (symbol-entry-pass entry) (- (assembly-pass a) 1)))
        (and ((assembly-external a) name) #t))))

;; The same for forms. The first pass, which knows nothing of what comes later, is not the last where one asks.
(define (symbol-defined? a name)
  (let ((known? (symbol-known? a name)))
    (if (and (not known?) (= 1 (assembly-pass a))) (assembly-unknown?-set! a #t))
    known?))

;; The value of a label or symbol, as far as this pass knows it. In an object, an expression.
(define (symbol-address a name)
  (let ((key (full-name a name)))
    (if (assembly-object? a)
        (symbol-in-object a key name)
        (symbol-address-by-key a key name))))

(define (symbol-address-by-key a key name)
  (let ((entry (table-ref (assembly-symbols a) key #f))
        (pass (assembly-pass a)))
    (if entry (symbol-entry-used?-set! entry #t))
    (assembly-met-set! a entry)
    (cond ((and entry (>= (symbol-entry-pass entry) (- pass 1))) (symbol-entry-address a entry))
          (((assembly-external a) key))
          ((= pass 1)
           (assembly-unknown?-set! a #t)
           (here a))
          ((eq? (symbol-binding a key) 'weak) 0)
          (else (undefined a name)))))

;; The value of a symbol that this pass or the one before has defined.
(define (symbol-entry-address a entry)
  (if (and (< (symbol-entry-pass entry) (assembly-pass a))
           (symbol-entry-section entry)
           (eq? (symbol-entry-section entry) (assembly-section a)))
      (+ (symbol-entry-value entry) (assembly-drift a))
      (symbol-entry-value entry)))

;; What `compute` gives, or 0 where it names something of which this pass knows nothing yet: for what may say how
;; often something is done. An address stands for the unknown, and thousands of rounds would be run for it.
(define (known-or-zero a compute)
  (let ((before? (assembly-unknown? a)))
    (dynamic-wind
     (lambda () (assembly-unknown?-set! a #f))
     (lambda ()
       (let ((value (compute)))
         (if (assembly-unknown? a) 0 value)))
     (lambda () (assembly-unknown?-set! a (or before? (assembly-unknown? a)))))))

;; A constant that was met is its value; a weak one may be another's in the end.
(define (symbol-in-object a key name)
  (let ((entry (table-ref (assembly-symbols a) key #f))
        (pass (assembly-pass a)))
    (if entry (symbol-entry-used?-set! entry #t))
    (cond ((and entry
                (not (symbol-entry-section entry))
                (not (eq? (symbol-binding a key) 'weak))
                (or (= (symbol-entry-pass entry) pass)
                    (and (= (symbol-entry-pass entry) (- pass 1))
                         (exact-integer? (symbol-entry-offset entry)))))
           (symbol-entry-offset entry))
          (else
           (if (not (and entry (>= (symbol-entry-pass entry) (- pass 1))))
               (if (= pass 1)
                   (assembly-unknown?-set! a #t)
                   (if (not (eq? key name)) (undefined a name))))
           (symbol-reference key)))))

;; How a debugger shows what is at a symbol, or what other views call by this name: a text.
(define (note-view! a name view)
  (let ((before (table-ref (assembly-views a) name #f)))
    (if (and before (not (string=? view before)))
        (fail "`" name "` has another view already: " before))
    (if (not before)
        (begin
          (table-set! (assembly-views a) name view)
          (note-event! a 0 (list 'view name view))))))

;; How far one label is behind another, where the linker will leave it so; else #f.
(define (settled-distance a key other)
  (let ((x (table-ref (assembly-symbols a) key #f))
        (y (table-ref (assembly-symbols a) other #f)))
    (and x y
         (symbol-entry-section x)
         (eq? (symbol-entry-section x) (symbol-entry-section y))
         (eqv? (symbol-entry-fragment x) (symbol-entry-fragment y))
         (eqv? (symbol-entry-pass x) (symbol-entry-pass y))
         (not (eq? (symbol-binding a key) 'weak))
         (not (eq? (symbol-binding a other) 'weak))
         (- (symbol-entry-offset x) (symbol-entry-offset y)))))

;; The address of this place: an integer, in an object a label that is not seen outside.
(define (here-value a)
  (if (assembly-object? a)
      (let* ((section (current-section a))
             (key (string->symbol (text "here " (section-name section) " " (section-fragment section) " "
                                        (section-size section))))
             (entry (table-ref (assembly-symbols a) key #f)))
        (if (not (and entry (= (symbol-entry-pass entry) (assembly-pass a))))
            (define-label-by-key! a key 'here (statement-line (assembly-statement a)) 0))
        (symbol-reference key))
      (here a)))

;; The integer of an expression.
(define (expression-number a expression)
  (expression-value expression
    (lambda (leaf)
      (let ((name (car (expression-arguments leaf))))
        (if (eq? (expression-operator leaf) 'host)
            (host-index a name)
            (symbol-address-by-key a name name))))))

;; ---- bindings ----------------------------------------------------------------------------------------

;; global, weak, local or extern, by a directive; #f without one.
(define (symbol-binding a name)
  (let ((entry (or (table-ref (assembly-bindings a) name #f)
                   (and (assembly-bindings-before a) (table-ref (assembly-bindings-before a) name #f)))))
    (and entry (car entry))))

(define (bind-symbol! a name binding)
  (if (not (eq? name (full-name a name)))
      (fail "`" name "` is a local label, which has no meaning elsewhere"))
  (let* ((bindings (assembly-bindings a))
         (entry (table-ref bindings name #f))
         (before (and entry (car entry))))
    (cond ((or (not before) (eq? before 'extern))
           (table-set! bindings name (cons binding (if entry (cdr entry) (table-length bindings)))))
          ((or (eq? before binding) (eq? binding 'extern)))
          ((or (eq? before 'local) (eq? binding 'local))
           (fail "`" name "` cannot be both " before " and " binding))
          (else (set-car! entry 'weak)))))

;; The names that have one of these bindings, in the order of their directives.
(define (names-bound a . bindings)
  (map cdr
       (sort (filter-map (lambda (entry)
                           (and (memq (cadr entry) bindings) (cons (cddr entry) (car entry))))
                         (table->list (assembly-bindings a)))
             (lambda (x y) (< (car x) (car y))))))

;; Names as sources write them, each once: many local ones have the same.
(define (written-names a)
  (let ((met (make-table test: eq?)))
    (filter (lambda (name)
              (and (not (table-ref met name #f))
                   (begin (table-set! met name #t) #t)))
            (map symbol-entry-name (symbol-entries a)))))

(define (undefined a name)
  (let* ((string (symbol->string name))
         (operator (string-index string (lambda (c) (memv c '(#\+ #\- #\* #\/)))))
         (left (and operator (> operator 0) (substring string 0 operator))))
    (raise
     (make-problem
      (text (if (numeric-name? string)
                (text "there is no label `" (substring string 0 (- (string-length string) 1))
                      ":` behind this place, which `" name "` means")
                (text "the label `" name "` is not defined"))
            (if (and left (symbol-known? a (string->symbol left)))
                (text ": an expression is written in Scheme, such as ("
                      (string-ref string operator) " (address \"" left "\") "
                      (substring string (+ operator 1) (string-length string)) ")")
                (if (numeric-name? string)
                    ""
                    (near-name a string (lambda () (written-names a))))))
      '() #f #f
      (if (table-ref (assembly-symbols a) (full-name a name) #f) 'lost 'undefined)))))

;; ---- host calls --------------------------------------------------------------------------------------

(define (host-name? name)
  (let ((n (string-length name)))
    (and (<= 1 n 63)
         (not (string-index name (lambda (c)
                                   (not (and (char<? c #\x80)
                                             (or (char-alphabetic? c) (char-numeric? c)
                                                 (memv c '(#\_ #\- #\.)))))))))))

;; What stands for a host call: its index in the import list, in an object an expression.
(define (host-value a name)
  (let* ((new? (not (table-ref (assembly-import-indices a) name #f)))
         (index (host-index a name)))
    (if (assembly-object? a)
        (begin
          (if new? (note-event! a 0 (list 'import name)))
          (host-reference name))
        index)))

;; What every machine can be granted; those that embed one add others.
(define standard-host-calls '("exit" "read" "write" "arg_count" "arg" "clock" "random" "map" "env_count" "env" "poll"))

;; The index of a host call in the import list, which it joins when it is new.
(define (host-index a name)
  (if (not (host-name? name))
      (fail "`" name "` cannot be the name of a host call: expected 1 to 63 letters, digits, _ - ."))
  (or (table-ref (assembly-import-indices a) name #f)
      (let ((near (if (member name standard-host-calls) "" (did-you-mean name standard-host-calls))))
        (if (not (string=? near ""))
            (note-warning! a (text "the host call `" name "` is none of the standard ones" near)))
        (add-import! a name))))

;; The index that it has then.
(define (add-import! a name)
  (let ((index (table-length (assembly-import-indices a))))
    (table-set! (assembly-import-indices a) name index)
    (assembly-imports-set! a (cons name (assembly-imports a)))
    index))

;; A name that nothing else has: the same in every pass.
(define (unique-name! a prefix)
  (assembly-unique-set! a (+ 1 (assembly-unique a)))
  (text prefix "." (assembly-unique a)))
