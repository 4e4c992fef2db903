;; Values that only the linker knows: what `(address "x")` gives when an object is assembled, and what
;; arithmetic makes of it. A form computes with them as with integers, and what it gives is kept as a tree,
;; which the linker evaluates. What cannot be kept, such as a comparison that decides what is assembled, is
;; an error where it happens.
;;
;;   operator         arguments
;;   symbol           the symbol's key
;;   host             the name of a host call, whose index in the import list it stands for
;;   number           an integer that depends on nothing, where an integer itself would mean something else
;;   sum              a constant, then for each term its factor and an expression
;;   quotient, <, …   expressions and integers: see `operators`
;;
;;   (define x (symbol-reference 'x))
;;   (expression->text (add x 4))                          => "x+4"
;;   (expression-value (add x 4) (lambda (leaf) 65536))    => 65540
(module asm/expression)
(use scheme-lib/util)
(use asm/number)
(use asm/diagnostic)
(declare (standard-bindings) (extended-bindings) (block))

(define-type expression
  constructor: construct-expression
  operator
  arguments
  size)      ; nodes of the tree: what is shared counts each time

(define expression-size-limit 1000)

;; No value of an expression has more bits.
(define bits-limit 4096)

(define (size-of x)
  (if (expression? x) (expression-size x) 1))

(define (make-expression operator arguments)
  (let ((size (fold (lambda (argument sum) (+ sum (size-of argument))) 1 arguments)))
    (if (> size expression-size-limit)
        (fail "what is computed with this address has more than " expression-size-limit
              " parts, more than an object keeps"))
    (construct-expression operator arguments size)))

(define (symbol-reference key) (construct-expression 'symbol (list key) 1))
(define (host-reference name) (construct-expression 'host (list name) 1))
(define (fixed-number n) (construct-expression 'number (list n) 1))

(define (leaf? x)
  (memq (expression-operator x) '(symbol host number)))

;; ---- operators ---------------------------------------------------------------------------------------

;; Gambit 4.9.3 divides wrongly by negative bignums, so division is by magnitudes.
(define (divide n d)
  (if (eqv? d 0) (fail "division by zero"))
  (quotient (abs n) (abs d)))

(define (safe-quotient n d)
  (if (eq? (< n 0) (< d 0)) (divide n d) (- (divide n d))))

(define (safe-remainder n d)
  (- n (* d (safe-quotient n d))))

(define (safe-modulo n d)
  (let ((r (safe-remainder n d)))
    (if (or (eqv? r 0) (eq? (< r 0) (< d 0))) r (+ r d))))

(define (safe-exact-quotient n d)
  (if (not (eqv? 0 (safe-remainder n d))) (fail "the quotient " n "/" d " is no integer"))
  (safe-quotient n d))

(define (safe-shift n count)
  (if (> (abs count) bits-limit) (fail "a shift by " count " bits gives no number of 64 bits"))
  (arithmetic-shift n count))

(define (truth test) (lambda arguments (if (apply test arguments) 1 0)))

;; An operator's name, the least and most of its arguments, and what it does to integers. The order is that of
;; the object format.
(define operators
  (list (list '* 2 2 *)
        (list '/ 2 2 safe-exact-quotient)
        (list 'quotient 2 2 safe-quotient)
        (list 'remainder 2 2 safe-remainder)
        (list 'modulo 2 2 safe-modulo)
        (list 'arithmetic-shift 2 2 safe-shift)
        (list 'bitwise-and 2 2 bitwise-and)
        (list 'bitwise-ior 2 2 bitwise-ior)
        (list 'bitwise-xor 2 2 bitwise-xor)
        (list 'bitwise-not 1 1 bitwise-not)
        (list 'abs 1 1 abs)
        (list 'min 2 2 min)
        (list 'max 2 2 max)
        ;; Only `.assert` asks these.
        (list '= 2 2 (truth =))
        (list '< 2 2 (truth <))
        (list '> 2 2 (truth >))
        (list '<= 2 2 (truth <=))
        (list '>= 2 2 (truth >=))))

;; Their names, each at its number in the object format, with the count of its arguments.
(define (expression-operators)
  (list->vector (map (lambda (row) (cons (car row) (cadr row))) operators)))

(define comparisons '(= < > <= >=))

;; ---- making ------------------------------------------------------------------------------------------

(define (check-integer x name)
  (if (not (or (expression? x) (exact-integer? x)))
      (fail "`" name "` of an address that is known only when the program is linked needs integers, found "
            (written x)))
  x)

;; An operation on what may be expressions; integers alone are computed.
(define (make-operation name arguments)
  (for-each (lambda (argument) (check-integer argument name)) arguments)
  (cond ((not (any expression? arguments))
         (apply (cadddr (assq name operators)) arguments))
        (else (make-expression name arguments))))

;; A sum is a pair of a constant and terms, pairs of a factor and an expression.
(define (linear x)
  (cond ((not (expression? x)) (list x))
        ((eq? (expression-operator x) 'sum)
         (cons (car (expression-arguments x)) (pairs (cdr (expression-arguments x)))))
        ((eq? (expression-operator x) 'number) (expression-arguments x))
        (else (list 0 (cons 1 x)))))

(define (pairs flat)
  (if (null? flat) '() (cons (cons (car flat) (cadr flat)) (pairs (cddr flat)))))

(define (scaled sum factor)
  (cons (* factor (car sum))
        (map (lambda (term) (cons (* factor (car term)) (cdr term))) (cdr sum))))

(define (same-term? x y)
  (or (eq? x y)
      (and (leaf? x)
           (eq? (expression-operator x) (expression-operator y))
           (equal? (expression-arguments x) (expression-arguments y)))))

(define (add-term terms factor term)
  (cond ((null? terms) (list (cons factor term)))
        ((same-term? (cdar terms) term) (cons (cons (+ factor (caar terms)) term) (cdr terms)))
        (else (cons (car terms) (add-term (cdr terms) factor term)))))

(define (add-sums x y)
  (cons (+ (car x) (car y))
        (fold (lambda (term terms) (add-term terms (car term) (cdr term))) (cdr x) (cdr y))))

;; terms: pairs of a factor and an expression or integer.
(define (make-sum constant terms)
  (rebuild (fold (lambda (term sum) (add-sums sum (scaled (linear (cdr term)) (car term))))
                 (list constant)
                 terms)))

(define (linear-sum arguments)
  (fold (lambda (argument sum) (add-sums sum (linear argument))) '(0) arguments))

(define (rebuild sum)
  (let ((terms (filter (lambda (term) (not (eqv? 0 (car term)))) (cdr sum))))
    (cond ((null? terms) (car sum))
          ((and (eqv? 0 (car sum)) (null? (cdr terms)) (eqv? 1 (caar terms))) (cdar terms))
          (else
           (make-expression 'sum (cons (car sum)
                                       (append-map (lambda (term) (list (car term) (cdr term))) terms)))))))

;; Two terms that are as far from each other as the linker will leave them become a constant. distance: the
;; keys of two symbols -> how far the first is behind the second, or #f.
(define (settle sum distance)
  (define (partner term terms)
    (find (lambda (other)
            (and (eqv? (car other) (- (car term)))
                 (eq? 'symbol (expression-operator (cdr other)))
                 (distance (key-of term) (key-of other))))
          terms))
  (define (key-of term) (car (expression-arguments (cdr term))))
  (let loop ((constant (car sum)) (terms (cdr sum)) (kept '()))
    (if (null? terms)
        (cons constant (reverse kept))
        (let* ((term (car terms))
               (other (and (eq? 'symbol (expression-operator (cdr term))) (partner term (cdr terms)))))
          (if other
              (loop (+ constant (* (car term) (distance (key-of term) (key-of other))))
                    (filter (lambda (x) (not (eq? x other))) (cdr terms))
                    kept)
              (loop constant (cdr terms) (cons term kept)))))))

;; ---- in Scheme ---------------------------------------------------------------------------------------

;; Standard procedures that take expressions besides what they take anyway, as pairs of a name and a
;; procedure.
(define (arithmetic-bindings distance)
  (define (sum arguments)
    (rebuild (settle (linear-sum arguments) distance)))
  (define (negated x) (rebuild (scaled (linear x) -1)))
  (define (product x y)
    (cond ((not (expression? x)) (rebuild (scaled (linear y) x)))
          ((not (expression? y)) (rebuild (scaled (linear x) y)))
          (else (make-operation '* (list x y)))))
  (define (checked name arguments)
    (for-each (lambda (argument) (check-integer argument name)) arguments))
  ;; The standard procedure unless an argument is an expression.
  (define (extend name standard extended)
    (cons name
          (lambda arguments
            (if (any expression? arguments)
                (begin
                  (checked name arguments)
                  (extended arguments))
                (apply standard arguments)))))
  (define (operation name standard)
    (let ((count (cadr (assq name operators))))
      (extend name standard
              (lambda (arguments)
                (if (< (length arguments) count)
                    (apply standard arguments)
                    (fold (lambda (argument result) (make-operation name (list result argument)))
                          (if (= count 1) (make-operation name (list (car arguments))) (car arguments))
                          (cdr arguments)))))))
  (define (refused name standard)
    (extend name standard (lambda (arguments) (cannot-decide name (find expression? arguments)))))
  (define (number-test name standard)
    (cons name (lambda (x) (or (expression? x) (standard x)))))
  ;; An address is never the same as something that is no number.
  (define (equivalence name standard)
    (cons name
          (lambda (x y)
            (cond ((standard x y) #t)
                  ((or (and (expression? x) (or (number? y) (expression? y)))
                       (and (expression? y) (number? x)))
                   (cannot-decide name (if (expression? x) x y)))
                  (else #f)))))
  (list (extend '+ + sum)
        (extend '- -
                (lambda (arguments)
                  (if (null? (cdr arguments))
                      (negated (car arguments))
                      (sum (cons (car arguments) (map negated (cdr arguments)))))))
        (extend '* * (lambda (arguments) (reduce (lambda (y x) (product x y)) 1 arguments)))
        (operation '/ /)
        (operation 'quotient quotient)
        (operation 'remainder remainder)
        (operation 'modulo modulo)
        (operation 'arithmetic-shift arithmetic-shift)
        (operation 'bitwise-and bitwise-and)
        (operation 'bitwise-ior bitwise-ior)
        (operation 'bitwise-xor bitwise-xor)
        (operation 'bitwise-not bitwise-not)
        (operation 'abs abs)
        (operation 'min min)
        (operation 'max max)
        (refused '= =)
        (refused '< <)
        (refused '> >)
        (refused '<= <=)
        (refused '>= >=)
        (refused 'zero? zero?)
        (refused 'positive? positive?)
        (refused 'negative? negative?)
        (refused 'even? even?)
        (refused 'odd? odd?)
        (number-test 'number? number?)
        (number-test 'real? real?)
        (number-test 'rational? rational?)
        (number-test 'integer? integer?)
        (number-test 'exact? exact?)
        (equivalence 'eq? eq?)
        (equivalence 'eqv? eqv?)
        (equivalence 'equal? equal?)))

(define (cannot-decide name expression)
  (fail "`" name "` asks about " (expression->text expression)
        ", which is known only when the program is linked"))

;; The expression that `name` of two values is, if that is a comparison; else #f.
(define (comparison name x y)
  (and (memq name comparisons)
       (make-operation name (list x y))))

;; ---- using -------------------------------------------------------------------------------------------

;; look-up: a leaf (operator `symbol` or `host`) -> its integer.
(define (expression-value x look-up)
  (define (bounded n)
    (if (> (integer-length n) bits-limit)
        (fail "the value of " (expression->text x) " has more than " bits-limit " bits"))
    n)
  (define (value x)
    (cond ((not (expression? x)) x)
          ((eq? (expression-operator x) 'number) (car (expression-arguments x)))
          ((leaf? x) (look-up x))
          ((eq? (expression-operator x) 'sum)
           (let loop ((terms (cdr (expression-arguments x))) (sum (car (expression-arguments x))))
             (if (null? terms)
                 (bounded sum)
                 (loop (cddr terms) (+ sum (* (car terms) (value (cadr terms))))))))
          (else
           (bounded (apply (cadddr (assq (expression-operator x) operators))
                           (map value (expression-arguments x)))))))
  (value x))

;; The keys of the symbols in it, in order.
(define (expression-symbols x)
  (cond ((not (expression? x)) '())
        ((eq? (expression-operator x) 'symbol) (expression-arguments x))
        ((leaf? x) '())
        (else (append-map expression-symbols (expression-arguments x)))))

;; The same with other symbols: `rename` gives for a key what stands in its place, a key.
(define (expression-with-keys x rename)
  (cond ((not (expression? x)) x)
        ((eq? (expression-operator x) 'symbol)
         (symbol-reference (rename (car (expression-arguments x)))))
        ((leaf? x) x)
        (else
         (construct-expression (expression-operator x)
                               (map (lambda (argument) (expression-with-keys argument rename))
                                    (expression-arguments x))
                               (expression-size x)))))

;; In words: x+4, end-start, (quotient x 8). name-of: a symbol's key -> what to call it.
(define (expression->text x #!optional (name-of (lambda (key) key)))
  (define (words x)
    (cond ((not (expression? x)) (text x))
          ((eq? (expression-operator x) 'symbol) (text (name-of (car (expression-arguments x)))))
          ((leaf? x) (text (car (expression-arguments x))))
          ((eq? (expression-operator x) 'sum)
           (let* ((constant (car (expression-arguments x)))
                  (terms (pairs (cdr (expression-arguments x))))
                  (sorted (append (filter (lambda (term) (> (car term) 0)) terms)
                                  (filter (lambda (term) (< (car term) 0)) terms)))
                  (shown (string-join (map term-text sorted) "")))
             (text (if (string-prefix? "+" shown) (substring shown 1 (string-length shown)) shown)
                   (if (> constant 0) "+" "")
                   (if (= constant 0) "" constant))))
          (else
           (text "(" (expression-operator x) " "
                 (string-join (map words (expression-arguments x)) " ") ")"))))
  (define (term-text term)
    (let ((factor (car term)))
      (string-append (if (< factor 0) "-" "+")
                     (if (= 1 (abs factor)) "" (text (abs factor) "*"))
                     (words (cdr term)))))
  (words x))
