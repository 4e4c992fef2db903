;; The numbers of the format of objects, which asm/OBJECTS.md draws; asm/object-write and asm/object-read go
;; by them.
(module asm/object-format)
(use scheme-lib/util)
(use asm/expression)
(declare (standard-bindings) (extended-bindings) (block))

(define object-magic '#u8(#x89 67 77 79 13 10 26 10))   ; \x89CMO\r\n\x1a\n
(define object-version 1)
(define object-header-length 24)
(define chunk-entry-length 24)
(define chunk-types '("FILE" "SECT" "SYMB" "DEFN" "PART"))

;; A chunk's length with the zeros behind it.
(define (padded length) (* 8 (quotient (+ length 7) 8)))

(define (object-bytes? bytes)
  (and (>= (u8vector-length bytes) 8) (equal? (subu8vector bytes 0 8) object-magic)))

;; What stands in a file as a number is the thing with that number here.
(define binding-names '#(local global weak))
(define directive-names
  '#(".byte" ".half" ".word" ".quad" ".uleb128" ".sleb128" ".zero" ".skip" ".fill" ".align" ".org" ".assert"))
(define part-kinds '#(section statement label value instruction directive import made entry view run))
(define expression-kinds '#(integer symbol host number sum bytes))
(define first-operator 16)
(define operators (expression-operators))

;; The number of the first that is good, or #f.
(define (index-in vector good?)
  (let loop ((i 0))
    (and (< i (vector-length vector))
         (if (good? (vector-ref vector i)) i (loop (+ i 1))))))
