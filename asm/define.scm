;; Instructions that users define, as templates of the table's:
;;
;;   (define-instruction (element (to d) (base s) (index s))
;;     "R[a] := M64[R[b] + 8 * R[c]]"
;;     (shli to index 3)
;;     (add to base to)
;;     (ldu64 to to 0))
;;
;; An operand has a kind, a letter as in the table, and may have a range: (count u 1 64). What stands behind
;; is the template, not Scheme: an operand of a part is a name of the head, a register or a number. Whether
;; the whole can be one instruction is for the machine to say, which checks every definition.
;;
;; In a source the definition holds for that source. In a library or at the REPL it holds for every assembly
;; from then on; a program takes with it those that it uses.
(module asm/define)
(use scheme-lib/util)
(use vm-ext/gambit/vm)
(use scheme-lib/leb128)
(use asm/number)
(use asm/isa)
(use asm/diagnostic)
(use asm/statement)
(use asm/reader)
(use asm/encode)

(define-type definition
  name           ; a string
  opcode
  kinds          ; a string, one letter an operand
  operand-names  ; strings, for messages
  meaning        ; a line for people
  body           ; a u8vector, as vm-ext/isa/README.md says
  entry)         ; as asm/isa has those of the table

(define (definition-named name definitions)
  (find (lambda (each) (string=? (definition-name each) name)) definitions))

;; What the machine or an image says: #(name opcode operands meaning body parts)
(define (row->definition row)
  (let ((name (symbol->string (vector-ref row 0)))
        (kinds (vector-ref row 2)))
    (make-definition name (vector-ref row 1) kinds
                     (map (lambda (n) (string (string-ref "abc" n))) (iota (string-length kinds)))
                     (vector-ref row 3) (vector-ref row 4)
                     (make-entry name (vector-ref row 1) kinds))))

;; ---- opcodes -----------------------------------------------------------------------------------------

(define first-opcode 1024)
(define two-byte-opcodes 16384)

;; The opcode of a name is the same in every program, unless two names of one program meet: so objects
;; that were assembled apart agree.
(define (free-opcode name taken)
  (let ((room (- two-byte-opcodes first-opcode))
        (hash (fold (lambda (c hash) (modulo (+ (* hash 31) (char->integer c)) 1000003)) 0 (string->list name))))
    (let loop ((n (modulo hash room)))
      (let ((opcode (+ first-opcode n)))
        (if (memv opcode taken) (loop (modulo (+ n 1) room)) opcode)))))

(define (definition-with-opcode definition opcode)
  (make-definition (definition-name definition) opcode (definition-kinds definition)
                   (definition-operand-names definition) (definition-meaning definition) (definition-body definition)
                   (make-entry (definition-name definition) opcode (definition-kinds definition))))

;; ---- forms -------------------------------------------------------------------------------------------

(define-type operand name kind low high number)

(define shape "(define-instruction (name (operand kind) …) \"meaning\" (mnemonic operand …) …)")

;; taken: opcodes of others; own: the opcode that the name has already, or #f. That of the table's own is not
;; checked here: only a machine takes it.
(define (form->definition form taken own)
  (if (not (and (pair? form) (list? form) (pair? (car form)) (list? (car form)) (symbol? (caar form))))
      (fail "an instruction is defined as " shape))
  (let* ((name (symbol->string (caar form)))
         (operands (map (lambda (item number) (form->operand name item number))
                        (cdar form)
                        (iota (length (cdar form)) 1)))
         (behind (cdr form))
         (given (and (pair? behind) (eq? (car behind) opcode:) (pair? (cdr behind)) (cadr behind)))
         (behind (if given (cddr behind) behind))
         (meaning (and (pair? behind) (string? (car behind)) (car behind)))
         (parts (if meaning (cdr behind) behind))
         (kinds (list->string (map operand-kind operands)))
         (opcode (or given own (free-opcode name taken))))
    (if (not (or (eqv? opcode own)
                 (and (exact-integer? opcode) (integer-64? opcode) (>= opcode first-opcode))))
        (fail "the opcode of `" name "` must be a number from " first-opcode " on, found " (operand->text opcode)))
    (for-each
     (lambda (operand)
       (if (> (length (filter (lambda (other) (eq? (operand-name other) (operand-name operand))) operands)) 1)
           (fail "the instruction `" name "` has two operands `" (operand-name operand) "`")))
     operands)
    ((if (< opcode first-opcode) values check-definition)
     (make-definition name opcode kinds
                      (map (lambda (operand) (symbol->string (operand-name operand))) operands)
                      (or meaning (string-join (map written parts) " "))
                      (u8vector-concatenate (map uleb128-bytes (append (range-numbers operands)
                                                                       (part-numbers name parts operands))))
                      (make-entry name opcode kinds)))))

(define (make-entry name opcode kinds)
  (row->entry (vector name opcode kinds)))

;; (name kind) or (name kind low high)
(define (form->operand instruction item number)
  (if (not (and (list? item) (memv (length item) '(2 4)) (symbol? (car item)) (symbol? (cadr item))
                (= 1 (string-length (symbol->string (cadr item))))
                (every exact-integer? (cddr item))))
      (fail "an operand of `" instruction "` is written (name kind) or (name kind low high), as in (count u 1 64), found "
            (written item)))
  (make-operand (car item)
                (string-ref (symbol->string (cadr item)) 0)
                (and (pair? (cddr item)) (caddr item))
                (and (pair? (cddr item)) (cadddr item))
                number))

;; What the user writes for an operand of kind n is the number that is used negated.
(define (range-numbers operands)
  (let ((ranged (filter operand-low operands)))
    (cons (length ranged)
          (apply append
                 (map (lambda (operand)
                        (let ((low (operand-low operand)) (high (operand-high operand)))
                          (cons (operand-number operand)
                                (case (operand-kind operand)
                                  ((#\i #\o) (list (zigzag low) (zigzag high)))
                                  ((#\n) (list (zigzag (- high)) (zigzag (- low))))
                                  (else (list (unsigned-64 low) (unsigned-64 high)))))))
                      ranged)))))

(define (part-numbers instruction parts operands)
  (cons (length parts)
        (apply append (map (lambda (part) (one-part instruction part operands)) parts))))

(define (one-part instruction part operands)
  (if (not (and (pair? part) (list? part) (symbol? (car part))))
      (fail "a part of `" instruction "` is a list such as (add a b c), found " (written part)))
  (let* ((mnemonic (symbol->string (car part)))
         (entry (isa-find mnemonic))
         (count (length (cdr part))))
    (cond ((and (not entry) (or (string=? mnemonic instruction) (definition-named mnemonic known)))
           (fail "`" mnemonic "` cannot be a part of `" instruction "`: definitions are made of the table's instructions"))
          ((not entry)
           (fail "there is no instruction `" mnemonic "` for `" instruction "`" (isa-name-hint mnemonic)))
          ((not (<= (isa-entry-least-arity entry) count (isa-entry-arity entry)))
           (fail "`" mnemonic "` takes " (isa-entry-arity entry) " operands, found " count " in " (written part))))
    (cons (isa-entry-opcode entry)
          (apply append
                 (map (lambda (n)
                        (if (< n count)
                            (part-operand instruction (list-ref (cdr part) n) (string-ref (isa-entry-kinds entry) n) entry operands)
                            (list 0 0)))
                      (iota (isa-entry-arity entry)))))))

;; The number of an operand of the whole, or 0 and the field of a constant.
(define (part-operand instruction item kind entry operands)
  (let ((operand (and (symbol? item) (find (lambda (each) (eq? (operand-name each) item)) operands)))
        (register (and (symbol? item) (register-symbol item))))
    (cond (operand (list (operand-number operand)))
          ((and (symbol? item) (not register))
           (fail "`" item "` is no operand of `" instruction "`"
                 (did-you-mean (symbol->string item)
                               (map (lambda (each) (symbol->string (operand-name each))) operands))))
          ((memv kind '(#\p #\h))
           (fail "`" (isa-entry-name entry) "` within `" instruction "` needs an operand for "
                 (if (char=? kind #\p) "its address" "its host call") ", not a constant"))
          (else
           (let ((field (constant-field kind (cond (register register)
                                                   ((flonum? item) (make-real item (written item)))
                                                   ((and (pair? item) (eq? (car item) 'bits) (= 2 (length item)))
                                                    (make-bits (cadr item)))
                                                   (else item))
                                        entry)))
             (list 0 field))))))

;; ---- back to a form ------------------------------------------------------------------------------------

;; The form that defines what a row of an image or a machine says, #(name opcode operands meaning body parts).
(define (row->form-text row)
  (let* ((kinds (vector-ref row 2))
         (ranges (body-ranges (vector-ref row 4) kinds)))
    (text "(define-instruction ("
          (string-join
           (cons (symbol->string (vector-ref row 0))
                 (map (lambda (n)
                        (let ((range (assv n ranges)))
                          (text "(" (list-ref letters n) " " (string-ref kinds n)
                                (if range (text " " (cadr range) " " (caddr range)) "")
                                ")")))
                      (iota (string-length kinds))))
           " ")
          ") opcode: " (vector-ref row 1) " " (written (vector-ref row 3)) " "
          (string-join (map (lambda (part) (text "(" (string-replace part "," "") ")"))
                            (string-split (vector-ref row 5) #\;))
                       " ")
          ")")))

;; ((operand low high) …) of a body, which begins with them; as a user writes them.
(define (body-ranges body kinds)
  (define (number-at at)
    (let loop ((at at) (shift 0) (n 0))
      (let* ((byte (u8vector-ref body at))
             (n (+ n (arithmetic-shift (bitwise-and byte 127) shift))))
        (if (< byte 128) (cons n (+ at 1)) (loop (+ at 1) (+ shift 7) n)))))
  (define (as-meant kind n)
    (let ((signed (if (odd? n) (- (quotient (+ n 1) 2)) (quotient n 2))))
      (case kind ((#\i #\o) signed) ((#\n) (- signed)) (else n))))
  (let* ((count (number-at 0)))
    (let loop ((left (car count)) (at (cdr count)) (ranges '()))
      (if (= left 0)
          (reverse ranges)
          (let* ((operand (number-at at))
                 (low (number-at (cdr operand)))
                 (high (number-at (cdr low)))
                 (n (- (car operand) 1))
                 (kind (string-ref kinds n))
                 (ends (list (as-meant kind (car low)) (as-meant kind (car high)))))
            (loop (- left 1) (cdr high)
                  (cons (cons n (if (char=? kind #\n) (reverse ends) ends)) ranges)))))))

;; ---- what the machine says ---------------------------------------------------------------------------

(define letters '("a" "b" "c"))

;; The machine's messages speak of operands a, b, c.
(define (operands-note definition)
  (let ((names (definition-operand-names definition)))
    (if (or (null? names) (every string=? names (take-at-most letters (length names))))
        '()
        (list (text "its operands are "
                    (string-join (map (lambda (letter name) (text letter ": " name)) (take-at-most letters (length names)) names)
                                 ", "))))))

;; Does what the machine checks; where it refuses, a problem says why.
(define (in-machine-words definition thunk)
  (with-exception-catcher
   (lambda (exception)
     (raise (if (vm-error? exception)
                (make-problem (vm-error-message exception) (operands-note definition) #f #f)
                exception)))
   thunk))

(define (check-definition definition)
  (let ((image (vm-image-new)))
    (in-machine-words definition
      (lambda ()
        (vm-image-add-instruction image (definition-name definition) (definition-opcode definition)
                                  (definition-kinds definition) (definition-meaning definition)
                                  (definition-body definition))))
    (vm-image-free image)
    definition))

;; ---- those of libraries and the REPL -----------------------------------------------------------------

(define known '())

(define-documented (defined-instructions)
  "The instructions that libraries and the REPL have defined: a list of (mnemonic opcode kinds meaning)."
  (map (lambda (each)
         (list (string->symbol (definition-name each)) (definition-opcode each) (definition-kinds each)
               (definition-meaning each)))
       (sort known (lambda (x y) (string<? (definition-name x) (definition-name y))))))

(define (defined-by-library name)
  (definition-named name known))

;; Outside of an assembly a mistake is an ordinary error.
(define (call-with-problems-as-errors thunk)
  (with-exception-catcher
   (lambda (exception)
     (if (problem? exception)
         (error (string-join (cons (problem-message exception) (problem-notes exception)) "; "))
         (raise exception)))
   thunk))

(define-documented (define-instruction! form)
  "What (define-instruction . FORM) does, for forms that Scheme makes: FORM is ((name (operand kind) …) part …)."
  (let* ((name (and (pair? form) (pair? (car form)) (symbol? (caar form)) (symbol->string (caar form))))
         (before (and name (definition-named name known)))
         (made (call-with-problems-as-errors
                (lambda () (form->definition form (map definition-opcode known) (and before (definition-opcode before)))))))
    (set! known (cons made (remove (lambda (each) (eq? each before)) known)))
    (caar form)))
