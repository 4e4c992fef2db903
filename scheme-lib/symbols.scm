;; A symbol table: names with their values, and the source lines of code. It is kept beside a machine,
;; which itself knows only addresses.
;;
;;   (define table (make-symbol-table))
;;   (symbol-add! table "main" #x10000)
;;   (symbol-before table #x10004)  => ("main" . #x10000)
;;
;; Names are strings; procedures that take one also take a Scheme symbol. A copy costs nothing until one
;; of the two changes (symbol-table-share), which is how snapshots keep theirs.

(module scheme-lib/symbols)
(use scheme-lib/util)
(declare (block))

;; names: name -> value; lines: address -> #(address file line column)
;; expansions: address -> a list of (macro file line column), the outermost first
;; by-value, by-address, expanded: sorted vectors made when they are first needed, else #f
(define-type symbol-table
  constructor: construct
  names lines expansions by-value by-address expanded shared?)

(define (make-symbol-table)
  (construct (make-table test: equal?) (make-table test: eqv?) (make-table test: eqv?) #f #f #f #f))

;; Another table with the same content; the first change to either copies.
(define (symbol-table-share table)
  (symbol-table-shared?-set! table #t)
  (construct (symbol-table-names table) (symbol-table-lines table) (symbol-table-expansions table)
             (symbol-table-by-value table) (symbol-table-by-address table) (symbol-table-expanded table) #t))

(define (before-change! table)
  (if (symbol-table-shared? table)
      (begin
        (symbol-table-names-set! table (table-copy (symbol-table-names table)))
        (symbol-table-lines-set! table (table-copy (symbol-table-lines table)))
        (symbol-table-expansions-set! table (table-copy (symbol-table-expansions table)))
        (symbol-table-shared?-set! table #f))))

(define (name-of name)
  (if (symbol? name) (symbol->string name) name))

;; The last (key . value) whose key is at or before `key` in a sorted vector, or #f.
(define (last-at-or-before sorted key)
  (let loop ((low 0) (high (vector-length sorted)))
    (if (= low high)
        (and (> low 0) (vector-ref sorted (- low 1)))
        (let ((middle (quotient (+ low high) 2)))
          (if (<= (car (vector-ref sorted middle)) key)
              (loop (+ middle 1) high)
              (loop low middle))))))

(define (sorted-by-key pairs less?)
  (list->vector (sort pairs less?)))

;; ---- names -----------------------------------------------------------------------------------------

(define (symbol-add! table name value)
  (before-change! table)
  (symbol-table-by-value-set! table #f)
  (table-set! (symbol-table-names table) (name-of name) value))

(define (symbol-remove! table name)
  (before-change! table)
  (symbol-table-by-value-set! table #f)
  (table-set! (symbol-table-names table) (name-of name)))

(define (symbol-value table name)
  (table-ref (symbol-table-names table) (name-of name) #f))

(define (by-value table)
  (or (symbol-table-by-value table)
      (let ((sorted (sorted-by-key
                     (map (lambda (entry) (cons (cdr entry) (car entry)))
                          (table->list (symbol-table-names table)))
                     (lambda (a b)
                       (or (< (car a) (car b)) (and (= (car a) (car b)) (string<? (cdr a) (cdr b))))))))
        (symbol-table-by-value-set! table sorted)
        sorted)))

;; The name with the highest value that is not above `value`, as (name . its value), or #f.
(define (symbol-before table value)
  (let ((found (last-at-or-before (by-value table) value)))
    (and found (cons (cdr found) (car found)))))

(define (symbol-names table)
  (map cdr (vector->list (by-value table))))

;; ((name . value) …), sorted by value
(define (symbols->list table)
  (map (lambda (entry) (cons (cdr entry) (car entry))) (vector->list (by-value table))))

;; ---- source lines ----------------------------------------------------------------------------------

(define (line-add! table address file line column)
  (before-change! table)
  (symbol-table-by-address-set! table #f)
  (table-set! (symbol-table-lines table) address (vector address file line column)))

(define (by-address table)
  (or (symbol-table-by-address table)
      (let ((sorted (sorted-by-key (table->list (symbol-table-lines table))
                                   (lambda (a b) (< (car a) (car b))))))
        (symbol-table-by-address-set! table sorted)
        sorted)))

;; #(address file line column) of the last line that begins at or before `address`, or #f
(define (line-before table address)
  (let ((found (last-at-or-before (by-address table) address)))
    (and found (cdr found))))

(define (lines->list table)
  (map cdr (vector->list (by-address table))))

;; ---- expansions ------------------------------------------------------------------------------------

;; Where in a macro the code from an address on was made. Of several for one address each is called by the
;; one that was added before it.
(define (expansion-add! table address macro file line column)
  (before-change! table)
  (symbol-table-expanded-set! table #f)
  (let ((expansions (symbol-table-expansions table)))
    (table-set! expansions address
                (append (table-ref expansions address '()) (list (list macro file line column))))))

;; Those from `start` up to, not including, `end` are no longer so.
(define (expansions-forget! table start end)
  (before-change! table)
  (symbol-table-expanded-set! table #f)
  (for-each (lambda (entry)
              (if (and (<= start (car entry)) (< (car entry) end))
                  (table-set! (symbol-table-expansions table) (car entry))))
            (table->list (symbol-table-expansions table))))

(define (expanded table)
  (or (symbol-table-expanded table)
      (let ((sorted (sorted-by-key (table->list (symbol-table-expansions table))
                                   (lambda (a b) (< (car a) (car b))))))
        (symbol-table-expanded-set! table sorted)
        sorted)))

;; What macros the source line at `address` called for the code there: (macro file line column) each, the
;; outermost first; () where that code stands in the line itself.
(define (expansions-before table address)
  (let ((found (last-at-or-before (expanded table) address))
        (line (line-before table address)))
    (if (and found (or (not line) (<= (vector-ref line 0) (car found))))
        (cdr found)
        '())))
