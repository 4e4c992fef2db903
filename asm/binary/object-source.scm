;; An object as a source of which `comet-vm asm -c` makes an object that links to the same bytes, with the same symbols.
;; What the linker computes is written as expressions; numeric and .L labels, and places that only Scheme knew, become
;; numeric labels, each with a number of its own. Macros are gone, and so are source lines.
;;
;;   (asm-object-string (object->source (asm-object-file "main.s")))
(module asm/binary/object-source)
(use scheme-lib/util)
(use scheme-lib/image)
(use vm-ext/gambit/vm)
(use asm/isa)
(use asm/encode)
(use asm/expression)
(use asm/define)
(use asm/disassembly)
(use asm/object)
(use asm/binary/relocations)
(declare (block))

(define-documented (object->source object)
  "An object as assembly source, a string: it assembles to an object that links to the same bytes and symbols."
  (call-with-output-string "" (lambda (port) (write-object object port))))

(define (write-object object port)
  (let* ((sections (object-sections object))
         (image (object-definitions-image object))
         (entries (entries-by-opcode object))
         (names (symbol-names object))
         (texts (expression-texts object names))
         (reached (make-vector (vector-length sections) 0))
         (current #f))
    (define (line . parts) (for-each (lambda (part) (display part port)) parts) (newline port))
    (define (statement name . operands) (line "        " (statement-text name operands)))
    (define (switch! index)
      (if (not (eqv? index current))
          (let ((section (vector-ref sections index)))
            (set! current index)
            (newline port)
            (apply statement ".section"
                   (quoted (object-section-name section))
                   (quoted (object-section-protection section))
                   (append (let ((address (object-section-address section))) (if address (list (hex-address address)) '()))
                           (if (object-section-keep? section) '("keep") '()))))))
    ;; The bytes of a section up to an offset that no part stands for.
    (define (take! index offset)
      (let ((start (vector-ref reached index)))
        (if (< start offset)
            (begin
              (switch! index)
              (write-bytes line (vector-ref sections index) start offset image entries)
              (vector-set! reached index offset)))))
    (define (write-value what)
      (let* ((index (cadr what)) (name ((symbol-names-plain names) index)) (value ((cdr texts) (caddr what))))
        (if name
            (statement (if (eq? 'set (cadddr what)) ".set" ".equ") name value)
            (line "        (symbol! " ((symbol-names-quoted names) index) " " value ")"))))
    (define (write-part part)
      (let ((what (part-what part)))
        (case (car what)
          ((label)
           ((symbol-names-define! names) (cadr what))
           (let ((name ((symbol-names-plain names) (cadr what))))
             (if name
                 (line name ":")
                 (line "        (label! " ((symbol-names-quoted names) (cadr what)) ")"))))
          ((value) (write-value what))
          ((instruction)
           (let ((entry (cadr what)))
             (apply statement (isa-entry-name entry)
                    (map (lambda (kind field)
                           (if (expression? field)
                               ((car texts) field kind)
                               (operand-text kind field #f #f number-text #f)))
                         (string->list (isa-entry-kinds entry))
                         (caddr what)))))
          ((directive)
           (apply statement (cadr what)
                  (map (lambda (operand)
                         (if (u8vector? operand) (quoted-bytes operand) ((cdr texts) operand)))
                       (caddr what))))
          ((import) (line "        (begin (host " (quoted (cadr what)) ") '())"))
          ((view) (write-view line (symbol->string (cadr what)) (caddr what)))
          ((entry) (statement ".entry" ((cdr texts) (cadr what)))))))
    (for-each (lambda (row) (line "        " (row->form-text row))) (image-definitions image))
    (write-bindings object names statement)
    (for-each switch! (iota (vector-length sections)))
    (for-each
     (lambda (part)
       (if (memq (car (part-what part)) '(label instruction directive))
           (let ((index (part-section part)))
             (take! index (part-offset part))
             (switch! index)
             (vector-set! reached index (+ (part-offset part) (part-length part)))))
       (write-part part))
     (object-parts object))
    (for-each (lambda (index) (take! index (object-section-memory-length (vector-ref sections index))))
              (iota (vector-length sections)))))

;; A string of the source's text with these bytes.
(define (quoted-bytes bytes)
  (text "\""
        (string-join (map (lambda (byte)
                            (cond ((memv byte '(34 92)) (string #\\ (integer->char byte)))
                                  ((<= 32 byte 126) (string (integer->char byte)))
                                  (else (text "\\x" (hex byte 2)))))
                          (u8vector->list bytes))
                     "")
        "\""))

;; What no directive names is local where it is defined and global where it is not.
(define (write-bindings object names statement)
  (for-each
   (lambda (index)
     (let* ((symbol (vector-ref (object-symbols object) index))
            (directive (case (object-symbol-binding symbol)
                         ((weak) ".weak")
                         ((global) (and (object-symbol-defined? symbol) ".global"))
                         (else #f))))
       (if directive
           (statement directive (or ((symbol-names-plain names) index) ((symbol-names-quoted names) index))))))
   (iota (vector-length (object-symbols object)))))

;; ---- names -------------------------------------------------------------------------------------------

;; Procedures of a symbol's index. plain: the name as text has it, where it defines the symbol, or #f; quoted: the same
;; as a string; reference: as a string where something uses it; define!: says that it stands before all that follows.
(define-type symbol-names plain quoted reference define!)

(define (symbol-names object)
  (let* ((symbols (object-symbols object))
         (count (vector-length symbols))
         (taken (list->table (map (lambda (symbol) (cons (object-symbol-name symbol) #t)) (vector->list symbols))
                             test: equal?))
         (values (make-vector count #f))       ; whether it is given a value, and is no place
         (numbers (make-vector count #f))      ; of numeric labels
         (defined (make-vector count #f))
         (last 0))
    (define (hidden? index) (object-symbol-hidden? (vector-ref symbols index)))
    (define (number! index)
      (or (vector-ref numbers index)
          (begin
            (set! last (+ last 1))
            (vector-set! numbers index last)
            last)))
    (define (own-name index)
      (let loop ((name (text "hidden." index)))
        (if (table-ref taken name #f) (loop (string-append name "_")) name)))
    (define (numeric? index) (and (hidden? index) (not (vector-ref values index))))
    (define (name index)
      (cond ((numeric? index) (text (number! index)))
            ((hidden? index) (own-name index))
            (else (object-symbol-name (vector-ref symbols index)))))
    (for-each (lambda (part)
                (if (eq? 'value (car (part-what part))) (vector-set! values (cadr (part-what part)) #t)))
              (object-parts object))
    (make-symbol-names
     (lambda (index) (let ((name (name index))) (and (or (numeric? index) (label-name? name)) name)))
     (lambda (index) (quoted (name index)))
     (lambda (index)
       (if (numeric? index)
           (quoted (text (number! index) (if (vector-ref defined index) "b" "f")))
           (quoted (name index))))
     (lambda (index) (vector-set! defined index #t)))))

;; ---- expressions -------------------------------------------------------------------------------------

;; A pair of two procedures: of an expression and the kind of its operand, and of an expression or integer alone.
(define (expression-texts object names)
  (let ((symbol-names (map object-symbol-name (vector->list (object-symbols object)))))
    (define (operand x kind)
      (let ((name (car (expression-arguments x))))
        (cond ((and (eqv? kind #\h) (eq? 'host (expression-operator x)) (plain-host-name? name)
                    (not (member name symbol-names)))
               name)
              ((and (eq? 'symbol (expression-operator x)) ((symbol-names-plain names) name))
               (unquoted ((symbol-names-reference names) name)))
              (else (scheme x)))))
    (define (scheme x)
      (cond ((not (expression? x)) (number-text x))
            (else
             (let ((arguments (expression-arguments x)))
               (case (expression-operator x)
                 ((symbol) (text "(address " ((symbol-names-reference names) (car arguments)) ")"))
                 ((host) (text "(host " (quoted (car arguments)) ")"))
                 ((number) (number-text (car arguments)))
                 ((sum)
                  (text "(+" (if (eqv? 0 (car arguments)) "" (text " " (car arguments)))
                        (let loop ((terms (cdr arguments)))
                          (if (null? terms)
                              ""
                              (text " " (factor-text (car terms) (scheme (cadr terms))) (loop (cddr terms)))))
                        ")"))
                 (else
                  (text "(" (expression-operator x) " " (string-join (map scheme arguments) " ") ")")))))))
    (define (factor-text factor term)
      (cond ((eqv? factor 1) term)
            ((eqv? factor -1) (text "(- " term ")"))
            (else (text "(* " factor " " term ")"))))
    (cons operand scheme)))

(define (unquoted string) (substring string 1 (- (string-length string) 1)))

;; ---- bytes -------------------------------------------------------------------------------------------

(define (entries-by-opcode object)
  (list->table (map (lambda (definition) (cons (definition-opcode definition) (definition-entry definition)))
                    (object-definitions object))))

(define bytes-a-line 12)

(define (write-bytes line section start end image entries)
  (let* ((stored (min end (u8vector-length (object-section-bytes section))))
         (code? (string-index (object-section-protection section) #\x)))
    (let loop ((at start))
      (if (< at stored)
          (let* ((instruction (and code? (decoded (object-section-bytes section) at stored image entries)))
                 (next (if instruction (+ at (car instruction)) (min stored (+ at (if code? 1 bytes-a-line))))))
            (line "        "
                  (if instruction
                      (cdr instruction)
                      (statement-text ".byte" (list (bytes-text (object-section-bytes section) at next)))))
            (loop next))))
    (if (< (max start stored) end) (line "        " (statement-text ".zero" (list (text (- end (max start stored)))))))))

;; A pair of the size and the text of an instruction that the assembler encodes so wherever it stands, or #f.
(define (decoded bytes at end image entries)
  (let* ((row (with-exception-catcher
               (lambda (exception) #f)
               (lambda () (vm-decode bytes at end image))))
         (fields (and row (vector-ref row 3)))
         (entry (and row (or (isa-by-opcode (car fields)) (table-ref entries (car fields) #f))))
         (kinds (and entry (isa-entry-kinds entry)))
         (size (and row (vector-ref row 2))))
    (and entry
         (not (string-index kinds #\p))
         (equal? (constant-bytes entry (cdr fields)) (subu8vector bytes at (+ at size)))
         (let ((operands (map (lambda (kind field) (operand-text kind field #f #f number-text #f))
                              (string->list kinds)
                              (cdr fields))))
           (and (every (lambda (operand) operand) operands)
                (cons size (statement-text (isa-entry-name entry) operands)))))))
