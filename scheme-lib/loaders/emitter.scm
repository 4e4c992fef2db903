;; Comet instructions into bytes, for loaders that translate. Labels are any values that equal? compares; a reference
;; to one may stand before it, and takes five bytes, so that it can be filled in at the end.
;;
;;   (define e (make-emitter #x10000))
;;   (emit-label! e 'loop)
;;   (emit! e 'addi 1 1 -1)
;;   (emit! e 'bnei 1 0 'loop)
;;   (emitter-code e)           => #u8(…)

(module scheme-lib/loaders/emitter)
(use scheme-lib/util)
(use scheme-lib/leb128)
(use vm-ext/gambit/vm)
(declare (standard-bindings) (extended-bindings) (block))

(define-type emitter
  constructor: construct-emitter
  base                  ; the address of the first byte
  (bytes unprintable:)  ; with room behind
  length
  labels                ; label -> address
  references)           ; (index of the field, address of its instruction, label) …

(define (make-emitter base) (construct-emitter base (make-u8vector 1024) 0 (make-table test: equal?) '()))

(define (emitter-address e) (+ (emitter-base e) (emitter-length e)))

(define (emit-label! e label) (emit-label-at! e label (emitter-address e)))

;; A label of what is not among these bytes.
(define (emit-label-at! e label address) (table-set! (emitter-labels e) label address))

(define (emitter-label-address e label) (table-ref (emitter-labels e) label))

(define reference-length 5)

;; ---- fields ------------------------------------------------------------------------------------------

(define longest-field 10)

;; In at least so many bytes.
(define (put-field! e n least)
  (let ((length (emitter-length e)))
    (if (> (+ length longest-field) (u8vector-length (emitter-bytes e)))
        (let ((larger (make-u8vector (* 2 (u8vector-length (emitter-bytes e))))))
          (subu8vector-move! (emitter-bytes e) 0 length larger 0)
          (emitter-bytes-set! e larger)))
    (emitter-length-set! e (uleb128-put! (emitter-bytes e) length n least))))

;; Name -> (opcode . kinds of operands).
(define table
  (let ((table (make-table test: eq?)))
    (vector-for-each
     (lambda (row) (table-set! table (vector-ref row 0) (cons (vector-ref row 1) (string->list (vector-ref row 2)))))
     (vm-isa))
    table))

(define (emit! e name . operands)
  (let ((row (table-ref table name)) (address (emitter-address e)))
    (put-field! e (car row) 1)
    (for-each
     (lambda (kind operand)
       (case kind
         ((#\i #\o) (put-field! e (zigzag operand) 1))
         ((#\p)
          (emitter-references-set! e (cons (list (emitter-length e) address operand) (emitter-references e)))
          (put-field! e 0 reference-length))
         (else (put-field! e operand 1))))
     (cdr row)
     operands)))

;; ---- the end -----------------------------------------------------------------------------------------

(define (fill-in! e reference)
  (uleb128-put! (emitter-bytes e)
                (car reference)
                (zigzag (- (emitter-label-address e (caddr reference)) (cadr reference)))
                reference-length))

(define-documented (emitter-code e)
  "The bytes, all references filled in."
  (for-each (lambda (reference) (fill-in! e reference)) (emitter-references e))
  (subu8vector (emitter-bytes e) 0 (emitter-length e)))
