;; What the linker computes in an object: fields of instructions and operands of directives that depend on
;; addresses, host calls or the symbols of other objects.
(module asm/binary/relocations)
(use scheme-lib/util)
(use vm-ext/gambit/vm)
(use asm/isa)
(use scheme-lib/leb128)
(use asm/expression)
(use asm/define)
(use asm/object)
(use asm/binary/parts)
(use asm/binary/definitions)
(declare (block))

(define-documented (object-relocations object)
  "What the linker computes in an object, in the order of the source, each #(section offset where kind value): the
section's number; where, a text, is the instruction and which of its operands, or the directive; kind says how the
field holds the value; the value is a text."
  (let ((expression-text (object-expression-texts object)))
    (append-map
     (lambda (part)
       (let ((what (part-what part)))
         (if (part-deferred? part)
             (filter-map (lambda (x number)
                           (and (expression? x)
                                (receive (where kind) (place-and-kind what number)
                                  (vector (part-section part) (part-offset part) where kind
                                          (expression-text x part)))))
                         (caddr what)
                         (iota (length (caddr what)) 1))
             '())))
     (object-parts object))))

(define (place-and-kind what number)
  (if (eq? 'instruction (car what))
      (let ((entry (cadr what)))
        (values (text (isa-entry-name entry) " operand " number)
                (kind-word (string-ref (isa-entry-kinds entry) (- number 1)))))
      (values (if (= 1 (length (caddr what))) (cadr what) (text (cadr what) " operand " number))
              "data")))

(define (kind-word kind)
  (case kind
    ((#\p) "relative")
    ((#\i #\o) "signed")
    ((#\n) "negated")
    ((#\h) "host call")
    (else "unsigned")))

;; ---- as source text ----------------------------------------------------------------------------------

;; An image with the instructions that the object defines: what disassembles its code.
(define (object-definitions-image object)
  (let ((image (vm-image-new)))
    (for-each (lambda (definition)
                (vm-image-add-instruction image (definition-name definition) (definition-opcode definition)
                                          (definition-kinds definition) (definition-meaning definition)
                                          (definition-body definition)))
              (object-definitions object))
    image))

;; A part that the linker computes as a line of source: call r10, greet. expression-text: of the object; image:
;; as above.
(define (part-text part expression-text image)
  (let ((what (part-what part)))
    (define (operand-text operand)
      (if (u8vector? operand)
          (text "\"" (visible-text (utf8->string operand)) "\"")
          (expression-text operand part)))
    (if (eq? 'instruction (car what))
        (instruction-text (cadr what) (caddr what) operand-text image)
        (text (cadr what) " " (string-join (map operand-text (caddr what)) ", ")))))

;; The machine writes the operands; those that wait are put in their places.
(define (instruction-text entry fields operand-text image)
  (let* ((known (map (lambda (field) (if (expression? field) 0 field)) fields))
         (bytes (u8vector-concatenate (map uleb128-bytes (cons (isa-entry-opcode entry) known))))
         (shown (cdr (vm-disassemble bytes 0 0 (u8vector-length bytes) image)))
         (blank (string-index shown #\space))
         (name (substring shown 0 blank))
         (operands (string-split (substring shown (+ blank 1) (string-length shown)) #\,)))
    (text name " "
          (string-join (map (lambda (field operand)
                              (if (expression? field)
                                  (operand-text field)
                                  (string-trim operand)))
                            fields operands)
                       ", "))))
