;; What Scheme hands to the assembler, and what becomes of operands in a pass.
;;
;; A form that stands as a statement gives one of
;;   ()                  nothing
;;   an integer          0 to 2^64-1, as ULEB128
;;   a u8vector          its bytes
;;   a label marker      (label "name"), or a keyword: a symbol at this place
;;   a relocation        (relocation thunk [size]): computed when the place is reached; ULEB128, or
;;                       little-endian of 1, 2, 4 or 8 bytes
;;   a list of these     among them instructions, (list mov r1 r2), and directives, (list '.word 1 2)
(module asm/value)
(use scheme-lib/util)
(use scheme-lib/leb128)
(use asm/number)
(use asm/isa)
(use asm/diagnostic)
(use asm/statement)
(use asm/encode)
(use asm/expression)
(use asm/reader)
(use asm/environment)
(use asm/define)
(use asm/origin)
(use asm/assembly)
(use asm/relax)
(declare (standard-bindings) (extended-bindings) (block))

(define-type relocation thunk size)
(define-type label-marker name)

;; A label's name as a symbol, from what users write for one.
(define (->label-name name)
  (cond ((symbol? name) name)
        ((string? name)
         (if (string=? name "") (fail "expected the name of a label, found an empty string"))
         (string->symbol name))
        ((keyword? name) (string->symbol (keyword->string name)))
        ((label-marker? name) (label-marker-name name))
        (else (fail "expected the name of a label (a string), found " (operand->text name)))))

(define (force-relocation a relocation)
  (environment-call (assembly-environment a)
                    (statement-line (assembly-statement a))
                    (relocation-thunk relocation)))

;; ---- operands ----------------------------------------------------------------------------------------

;; The number that an operand stands for where a number or an address is wanted.
(define (resolve-number a value)
  (cond ((number? value) value)
        ((name? value) (name-number a value))
        ((form? value) (resolve-number a (eval-form a value)))
        ((target? value) (target-address value))
        ((symbol? value) (symbol-address a value))
        ((string? value) (symbol-address a (->label-name value)))
        ((keyword? value) (symbol-address a (->label-name value)))
        ((label-marker? value) (symbol-address a (label-marker-name value)))
        ((relocation? value) (resolve-number a (force-relocation a value)))
        ((char? value) (char->integer value))
        ((and (expression? value) (not (assembly-object? a))) (expression-number a value))
        (else value)))

(define (eval-form a form)
  (environment-eval (assembly-environment a) (form-datum form) (form-line form)))

;; A problem with an operand is shown where that stands; one without a place of its own, at the statement.
;; For the linker's expressions, which have none, the place is set already.
(define (operand-place! a operand)
  (if (not (expression? operand)) (assembly-operand-set! a operand)))

(define none '(none))

;; A variable of the source that holds a number wins over a label of the same name.
(define (name-number a name)
  (let ((value (name-variable a name)))
    (if (or (eq? value none) (not (or (number? value) (relocation? value))))
        (symbol-address a (name-symbol name))
        (resolve-number a value))))

;; The value of the variable that a name in the text means. Mnemonics are variables in Scheme, but not in
;; text, where `jump halt` goes to a label.
(define (name-variable a name)
  (let ((environment (assembly-environment a))
        (symbol (name-symbol name)))
    (let ((value (environment-variable environment symbol none)))
      (if (and (not (eq? value none))
               (environment-reserved? environment symbol)
               (or (procedure? value)
                   (let ((entry (isa-find (symbol->string symbol))))
                     (and entry (eqv? value (isa-entry-opcode entry))))))
          none
          value))))

;; The number of a register of this letter. What is none is handed on, to be refused by its field.
(define (resolve-register a value entry kind letter)
  (define (number-of register)
    (and register
         (char=? (register-letter register) letter)
         (register-number register)))
  (cond ((register? value) (or (number-of value) value))
        ((name? value)
         (let ((variable (name-variable a value)))
           (if (eq? variable none)
               (fail "`" (isa-entry-name entry) "` expects " (isa-kind-words kind) ", found "
                     (if (symbol-known? a (name-symbol value)) "the label `" "the unknown name `")
                     (name-symbol value) "`"
                     (did-you-mean-variable a value))
               variable)))
        ((form? value) (resolve-register a (eval-form a value) entry kind letter))
        ((symbol? value) (or (number-of (register-symbol value)) value))
        ((relocation? value) (force-relocation a value))
        (else value)))

(define (did-you-mean-variable a name)
  (if (symbol-known? a (name-symbol name))
      ""
      (near-name a (symbol->string (name-symbol name))
                 (lambda () (environment-names (assembly-environment a))))))

(define (resolve-host a value)
  (cond ((name? value)
         (let ((variable (name-variable a value)))
           (if (or (exact-integer? variable) (string? variable))
               (resolve-host a variable)
               (host-value a (symbol->string (name-symbol value))))))
        ((form? value) (resolve-host a (eval-form a value)))
        ((symbol? value) (host-value a (symbol->string value)))
        ((string? value) (host-value a value))
        ((relocation? value) (resolve-host a (force-relocation a value)))
        ((expression? value) (resolve-number a value))
        (else value)))

(define (resolve-real a value)
  (cond ((name? value)
         (let ((variable (name-variable a value)))
           (if (eq? variable none)
               (fail "expected a real number, found the unknown name `" (name-symbol value) "`")
               (resolve-real a variable))))
        ((form? value) (resolve-real a (eval-form a value)))
        ((relocation? value) (resolve-real a (force-relocation a value)))
        (else value)))

;; The field for an operand, whatever way it was given; in an object, perhaps an expression. start: the
;; address of the instruction.
(define (operand-field a kind operand entry start)
  (operand-place! a operand)
  (case kind
    ((#\d #\s #\x #\w)
     (encode-field kind (resolve-register a operand entry kind #\r) entry))
    ((#\t)
     (encode-field kind (resolve-register a operand entry kind #\t) entry))
    ((#\p)
     (assembly-met-set! a #f)
     (let ((target (resolve-number a operand)))
       (if (relaxing? a) (note-target! a operand target))
       (relative-field a target start entry)))
    ((#\h) (field-or-expression kind (resolve-host a operand) entry))
    ((#\f #\g) (encode-field kind (resolve-real a operand) entry))
    (else (field-or-expression kind (resolve-number a operand) entry))))

(define (field-or-expression kind value entry)
  (if (expression? value) value (encode-field kind value entry)))

;; In an object, nothing stands at an address yet.
(define (relative-field a target start entry)
  (cond ((expression? target) target)
        ((assembly-object? a)
         (encode-relative target start entry)
         (fixed-number target))
        (else (encode-relative target start entry))))

;; ---- instructions ------------------------------------------------------------------------------------

;; Operands from text: fields that the reader has encoded are numbers.
(define (emit-text-instruction! a entry operands)
  (let ((start (here a))
        (kinds (isa-entry-kinds entry)))
    (let loop ((i (fx- (vector-length operands) 1)) (fields '()))
      (if (fx< i 0)
          (emit-fields! a entry fields)
          (let ((operand (vector-ref operands i)))
            (loop (fx- i 1)
                  (cons (if (number? operand)
                            operand
                            (operand-field a (string-ref kinds i) operand entry start))
                        fields)))))))

(define (emit-fields! a entry fields)
  (if (and (assembly-object? a) (any expression? fields))
      (emit-deferred! a
                      (list 'instruction entry fields)
                      (lambda ()
                        (let ((fields (map (lambda (field) (if (expression? field) 0 field)) fields)))
                          (note-item! a 0)
                          (emit-bytes! a (join-fields entry fields 0)))))
      (let ((bytes (join-fields entry fields (item-least a))))
        (if (fx>= (isa-entry-opcode entry) 1024)
            (check-defined! a (assembly-definition a (isa-entry-name entry)) bytes))
        (if (relaxing? a) (note-branch! a entry fields (u8vector-length bytes)))
        (note-item! a (u8vector-length bytes))
        (emit-bytes! a bytes))))

;; Operands as Scheme values.
(define (emit-instruction! a entry operands whole)
  (in-list whole (lambda () (emit-operands! a entry operands))))

(define (emit-operands! a entry operands)
  (let ((start (here a)))
    (emit-each! a entry operands
                (lambda (kind operand) (operand-field a kind operand entry start)))))

;; Operands from text that the reader has not encoded: pairs of an operand and its column.
(define (emit-defined! a entry operands)
  (let ((start (here a)))
    (emit-each! a entry operands
      (lambda (kind operand)
        (or (with-exception-catcher
             (lambda (exception)
               (raise (if (problem? exception)
                          (make-problem (problem-message exception) (problem-notes exception)
                                        (statement-line (assembly-statement a)) (cdr operand))
                          exception)))
             (lambda () (constant-field kind (car operand) entry)))
            (operand-field a kind (car operand) entry start))))))

;; field: kind and operand -> the field
(define (emit-each! a entry operands field)
  (let ((kinds (isa-entry-kinds entry))
        (count (length operands)))
    (if (or (< count (isa-entry-least-arity entry)) (> count (isa-entry-arity entry)))
        (fail "`" (isa-entry-name entry) "` takes " (operands-of entry) ", found " count))
    (let loop ((i 0) (operands operands) (fields '()))
      (cond ((= i (isa-entry-arity entry)) (emit-fields! a entry (reverse fields)))
            ((null? operands) (loop (+ i 1) '() (cons 0 fields)))
            (else (loop (+ i 1) (cdr operands) (cons (field (string-ref kinds i) (car operands)) fields)))))))

(define (operands-of entry)
  (text (isa-entry-arity entry) (if (= 1 (isa-entry-arity entry)) " operand" " operands")))

;; The entry of a mnemonic, the table's or another, or #f.
(define (find-entry a name)
  (or (isa-find name)
      (let ((definition (assembly-definition a name)))
        (and definition (definition-entry definition)))))

(define (find-entry-of-opcode a opcode)
  (or (isa-by-opcode opcode)
      (let ((definition (assembly-definition-of-opcode a opcode)))
        (and definition (definition-entry definition)))))

;; Problems of a list that Scheme made say which one it was.
(define (in-list whole thunk)
  (with-exception-catcher
   (lambda (exception)
     (raise (if (problem? exception)
                (problem-add-notes exception (list (text "in the list " (list->readable whole))))
                exception)))
   thunk))

;; The list with its opcode as a mnemonic.
(define (list->readable whole)
  (let* ((entry (and (exact-integer? (car whole)) (isa-by-opcode (car whole))))
         (shown (if entry (cons (string->symbol (isa-entry-name entry)) (cdr whole)) whole))
         (string (written shown)))
    (if (> (string-length string) 100) (string-append (substring string 0 100) " …") string)))

;; ---- values ------------------------------------------------------------------------------------------

(define directive-runner #f)

;; asm/directives stands above this file and leaves its procedure here: (run assembly name operands).
(define (set-directive-runner! run)
  (set! directive-runner run))

(define (emit-value! a value)
  (cond ((null? value))
        ((pair? value) (emit-list! a value))
        ((label-marker? value) (emit-label! a (label-marker-name value)))
        ((keyword? value) (emit-label! a (->label-name value)))
        ((eq? value #!void))
        (else (emit-made! a #f (symbol? value) (lambda () (emit-atom! a value))))))

(define (emit-atom! a value)
  (cond ((exact-integer? value) (emit-uleb128! a value))
        ((expression? value)
         (note-item! a 0)
         (emit-deferred-directive! a ".uleb128" (list value) 1))
        ((u8vector? value) (emit-bytes! a value))
        ((relocation? value) (emit-relocation! a value))
        ((bare-mnemonic a value)
         => (lambda (entry) (emit-instruction! a entry '() (list value))))
        (else
         (fail "a Scheme form gave " (operand->text value) ", which cannot be assembled: expected (), an "
               "integer, a u8vector, (label \"name\"), (relocation …), an instruction such as "
               "(list mov r1 r2), or a list of these"
               (if (string? value) "; a string is data in (list '.ascii \"…\")" "")
               (if (eq? value #f) "; (if condition value) without an else gives nothing" "")))))

;; An instruction without operands need not be in a list of its own: '((jump "x") nop)
(define (bare-mnemonic a value)
  (let ((entry (and (symbol? value) (find-entry a (symbol->string value)))))
    (and entry (= 0 (isa-entry-arity entry)) entry)))

(define (emit-label! a name)
  (let ((statement (assembly-statement a)))
    (define-label! a name (statement-line statement) (statement-column statement))))

(define (emit-uleb128! a value)
  (if (or (< value 0) (not (integer-64? value)))
      (fail "the integer " value " cannot be encoded as ULEB128: expected 0 to 2^64-1"
            (if (< value 0) "; (sleb128 n) gives the bytes of a signed number" "")))
  (let ((bytes (make-u8vector (max (uleb128-length value) (min 10 (item-least a))))))
    (uleb128-put! bytes 0 value (u8vector-length bytes))
    (note-item! a (u8vector-length bytes))
    (emit-bytes! a bytes)))

(define (emit-relocation! a relocation)
  (let ((size (relocation-size relocation))
        (value (resolve-number a relocation)))
    (if (not (or (exact-integer? value) (expression? value)))
        (fail "a relocation gave " (operand->text value) ", expected an integer"))
    (if size
        (emit-sized! a value size)
        (emit-value! a value))))

;; A directive of which operands depend on addresses, with so many zeros in its place.
(define (emit-deferred-directive! a name operands size)
  (emit-deferred! a (list 'directive name operands) (lambda () (emit-zeros! a size))))

;; An integer in so many bytes, signed or unsigned.
(define (emit-sized! a value size)
  (let ((bits (* 8 size)))
    (cond ((expression? value)
           (emit-deferred-directive! a (cdr (assv size sized-directives)) (list value) size))
          ((not (exact-integer? value))
           (fail "expected an integer of " bits " bits, found " (operand->text value)))
          ((not (and (>= value (- (expt 2 (- bits 1)))) (< value (expt 2 bits))))
           (fail "the number " value " does not fit into " bits " bits"))
          (else (emit-integer! a value size)))))

(define sized-directives '((1 . ".byte") (2 . ".half") (4 . ".word") (8 . ".quad")))

(define (emit-list! a value)
  (if (not (list? value))
      (fail "a Scheme form gave the pair " (operand->text value)
            ", which cannot be assembled: expected a proper list"))
  (let ((head (mnemonic-procedure->symbol (car value))))
    (cond ((symbol? head)
           (let ((string (symbol->string head)))
             (cond ((find-entry a string)
                    => (lambda (entry)
                         (emit-located! a value #t
                           (lambda () (emit-instruction! a entry (cdr value) (cons head (cdr value)))))))
                   ((and (eq? head 'label) (pair? (cdr value)) (null? (cddr value)))
                    (emit-label! a (->label-name (cadr value))))
                   ((and (> (string-length string) 0) (char=? (string-ref string 0) #\.))
                    (emit-located! a value #f
                      (lambda () (in-list value (lambda () (directive-runner a string (cdr value)))))))
                   (else
                    (located a value
                      (lambda ()
                        (fail "there is no instruction `" head "` in the list " (list->readable value)
                              (isa-name-hint string (defined-names a)))))))))
          ((instruction-list a value)
           => (lambda (entry)
                (emit-located! a value #t (lambda () (emit-instruction! a entry (cdr value) value)))))
          (else
           (suspect-count! a value)
           (for-each-guarded (lambda (item) (emit-value! a item))
                             value
                             (lambda (problem) (note-problem! a problem)))))))

;; Emits what a list means, with the places of the source that made the list.
(define (emit-located! a value instruction? emit)
  (emit-made! a (environment-origin (assembly-environment a) value) instruction?
              (lambda () (located a value emit))))

(define (list-places a value)
  (let ((environment (assembly-environment a)))
    (environment-places environment (environment-origin environment value))))

;; A problem with a list is one of the place where that was made, where this is in the statement's file.
(define (located a value thunk)
  (with-exception-catcher
   (lambda (exception)
     (raise (if (problem? exception)
                (problem-at-places a exception (list-places a value))
                exception)))
   thunk))

(define (problem-at-places a problem places)
  (if (or (null? places) (problem-line problem))
      problem
      (let* ((inwards (reverse places))
             (inside (car inwards))
             (noted (if (or (pair? (cdr places)) (place-macro inside))
                        (problem-add-notes problem (map place->note inwards))
                        problem)))
        (if (equal? (place-file inside) (source-file-name (statement-file (assembly-statement a))))
            (problem-move noted (place-line inside) (place-column inside))
            noted))))

;; (list add r1 r2) is three integers. That is hardly meant where the source writes it so, and `list` made it there.
(define (suspect-count! a value)
  (let* ((written (source-miscounted (assembly-source a)))
         (entry (and (pair? written)
                     (fixnum? (car value))
                     (every operand-like? (cdr value))
                     (isa-by-opcode (car value)))))
    (if entry
        (let* ((statement (assembly-statement a))
               (places (list-places a value))
               (place (if (pair? places)
                          (let ((inside (car (reverse places))))
                            (list (place-file inside) (place-line inside) (place-column inside)))
                          (list (source-file-name (statement-file statement))
                                (statement-line statement)
                                (statement-column statement)))))
          (if (member (append place (list (isa-entry-name entry))) written)
              (note-warning-of! a
                (problem-at-places a
                  (make-problem (text "`" (isa-entry-name entry) "` takes " (operands-of entry) ", found "
                                      (length (cdr value)) ": this list is no instruction, but numbers, each of which "
                                      "becomes bytes")
                                '() #f #f)
                  places)))))))

;; Where a mnemonic is the name of a standard procedure, (list not r1 r2) begins with that procedure.
(define (mnemonic-procedure->symbol head)
  (let ((name (and (procedure? head) (##procedure-name head))))
    (if (and name (isa-find (symbol->string name)) (eq? head (##global-var-ref (##make-global-var name))))
        name
        head)))

;; The entry of a list that is an instruction: an opcode, and as many operands as that takes.
(define (instruction-list a value)
  (let* ((head (car value))
         (entry (and (fixnum? head) (find-entry-of-opcode a head)))
         (count (length (cdr value))))
    (and entry
         (<= (isa-entry-least-arity entry) count (isa-entry-arity entry))
         (every operand-like? (cdr value))
         entry)))

(define (operand-like? value)
  (or (number? value) (expression? value) (symbol? value) (string? value) (char? value) (relocation? value) (bits? value)
      (label-marker? value)))
