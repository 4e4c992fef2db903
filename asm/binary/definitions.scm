;; Where an object's symbols are defined, and what follows from that: expressions in words.
(module asm/binary/definitions)
(use scheme-lib/util)
(use asm/expression)
(use asm/object)
(declare (block))

;; For each symbol of an object the part that defines it, the last one where there are several, or #f.
(define (object-definition-parts object)
  (let ((parts (make-vector (vector-length (object-symbols object)) #f)))
    (for-each (lambda (part)
                (if (memq (car (part-what part)) '(label value))
                    (vector-set! parts (cadr (part-what part)) part)))
              (object-parts object))
    parts))

;; For each section how many bytes the file will have of it. Those that the linker computes count, though what
;; stands in for them at the end are zeros, which no file holds.
(define (object-stored-lengths object)
  (let ((lengths (vector-map (lambda (section) (u8vector-length (object-section-bytes section)))
                             (object-sections object))))
    (for-each (lambda (part)
                (let ((section (part-section part)))
                  (if (and section (> (part-length part) 0))
                      (vector-set! lengths section
                                   (max (vector-ref lengths section) (+ (part-offset part) (part-length part)))))))
              (object-parts object))
    lengths))

;; (lambda (x part) …): an expression of the object in words, in which numeric labels are what the source calls
;; them at the part, 1b or 1f. part may be #f.
(define (object-expression-texts object)
  (let ((definitions (object-definition-parts object)))
    (define (name-at part)
      (lambda (index)
        (let ((symbol (vector-ref (object-symbols object) index))
              (definition (vector-ref definitions index)))
          (text (object-symbol-name symbol)
                (if (and part definition (object-symbol-hidden? symbol) (all-digits? (object-symbol-name symbol)))
                    (if (<= (part-offset definition) (part-offset part)) "b" "f")
                    "")))))
    (lambda (x part) (expression->text x (name-at part)))))

(define (all-digits? name) (every char-numeric? (string->list name)))
