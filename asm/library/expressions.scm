;; A small compiler: from arithmetic expressions to instructions.
;;
;;     (use asm/library/expressions)
;;             ($compute r1 (+ (* r2 r2) (* r3 8) 1) r10)
;;
;; puts the value into r1, with registers from r10 on for what it must keep on the way (in a $procedure of
;; asm/library/structured the last may be left out). In an expression
;;
;;     name            the register of that name
;;     5  #\a  'name   a constant
;;     (+ a b ...) (- a b) (- a) (* a b ...) (/ a b) (% a b)       whole numbers of 64 bits; / and % are signed
;;     (and a b ...) (or a b ...) (xor a b ...) (~ a)              bit by bit
;;     (<< a n) (>> a n) (u>> a n)                                 >> keeps the sign
;;     (= a b) (!= a b) (< a b) (> a b) (<= a b) (>= a b), u< u> u<= u>=           1 or 0
;;     (min a b) (max a b) (u/ a b) (u% a b)
;;     (u8 address [offset]) u16 u32 u64 s8 s16 s32                what stands in memory there
;;
;; Constants are computed while it compiles, an operand that fits is an immediate, multiplication by a power of two
;; is a shift, and of two operands the one that needs more registers is computed first, so that they are as few as
;; can be (Sethi and Ullman, 1970).
(module asm/library/expressions)
(use scheme-lib/util)
(use asm/macro)
(declare (block))

;; ---- from source to tree -----------------------------------------------------------------------------

;; A tree is (register . n), (constant . n) or (operator tree ...).
(define (expand-compute source)
  (let ((code (parts source)))
    (if (not (and code (<= 3 (length code) 4)))
        (macro-fail "expected ($compute register expression [first free register]), found " (written (datum source))))
    (macro-form source "$compute"
      (list 'asm/library/expressions#compile-expression
            (cadr code)
            (tree-form (caddr code))
            (if (= 4 (length code)) (cadddr code) '$window)))))

;; What makes the tree when the source runs, because registers and constants are its variables.
(define (tree-form source)
  (let* ((code (parts source)) (plain (datum source)) (head (and (pair? code) (datum (car code)))))
    (cond ((symbol? plain) (list 'cons ''register source))
          ((or (number? plain) (char? plain)) (list 'cons ''constant source))
          ((eq? head 'quote) (list 'cons ''constant (cadr code)))
          ((and (pair? code) (symbol? head))
           (check-operator head (- (length code) 1) plain)
           (cons 'list (cons (list 'quote head) (map tree-form (cdr code)))))
          (else (macro-fail "expected an expression, found " (written plain))))))

;; operator, least and most operands
(define operators
  (append '((+ 1 #f) (* 1 #f) (and 1 #f) (or 1 #f) (xor 1 #f) (- 1 2) (~ 1 1))
          (map (lambda (name) (list name 2 2))
               '(/ % u/ u% << >> u>> = != < > <= >= u< u> u<= u>= min max))
          (map (lambda (name) (list name 1 2)) '(u8 u16 u32 u64 s8 s16 s32))))

(define (check-operator name count expression)
  (let ((row (assq name operators)))
    (if (not row)
        (macro-fail "there is no operator `" name "`" (did-you-mean (symbol->string name) (map text (map car operators)))
                    " in the expression " (written expression)))
    (if (or (< count (cadr row)) (and (caddr row) (> count (caddr row))))
        (macro-fail "`" name "` takes " (cadr row)
                    (cond ((not (caddr row)) " or more") ((= (cadr row) (caddr row)) "") (else (text " or " (caddr row))))
                    " operands, found " count " in the expression " (written expression)))))

;; ---- trees -------------------------------------------------------------------------------------------

(define (constant? tree) (eq? (car tree) 'constant))
(define (register? tree) (eq? (car tree) 'register))
(define (leaf? tree) (or (constant? tree) (register? tree)))
(define (value-of tree)
  (let ((value (cdr tree)))
    (cond ((char? value) (char->integer value))
          ((exact-integer*? value) value)
          (else (macro-fail "a constant in an expression is a whole number, found " (written value))))))
(define (exact-integer*? x) (and (integer? x) (exact? x)))
(define (is? tree n) (and (constant? tree) (= n (value-of tree))))

(define (wrapped n)
  (let ((low (modulo n (expt 2 64)))) (if (>= low (expt 2 63)) (- low (expt 2 64)) low)))

(define foldable
  (list (cons '+ +) (cons '- -) (cons '* *) (cons 'and bitwise-and) (cons 'or bitwise-ior) (cons 'xor bitwise-xor)
        (cons '<< (lambda (a n) (arithmetic-shift a (modulo n 64))))
        (cons '>> (lambda (a n) (arithmetic-shift a (- (modulo n 64)))))))

;; Two operands each, constants computed and behind what is not, what changes nothing left out.
(define (simplified tree)
  (if (leaf? tree)
      (if (constant? tree) (cons 'constant (wrapped (value-of tree))) tree)
      (let ((operator (car tree)) (operands (map simplified (cdr tree))))
        (cond ((memq operator '(u8 u16 u32 u64 s8 s16 s32)) (cons operator operands))
              ((and (eq? operator '-) (null? (cdr operands)))
               (if (constant? (car operands))
                   (cons 'constant (wrapped (- (value-of (car operands)))))
                   (list 'negate (car operands))))
              ((eq? operator '~) (simplified-pair 'xor (car operands) '(constant . -1)))
              (else
               (fold (lambda (right left) (simplified-pair operator left right)) (car operands) (cdr operands)))))))

(define (simplified-pair operator left right)
  (let ((f (assq operator foldable)))
    (cond ((and f (constant? left) (constant? right))
           (cons 'constant (wrapped ((cdr f) (value-of left) (value-of right)))))
          ((and (constant? left) (not (constant? right)) (memq operator '(+ * and or xor = !=))) (simplified-pair operator right left))
          ((and (eq? operator '-) (constant? right))
           (simplified-pair '+ left (cons 'constant (wrapped (- (value-of right))))))
          ((and (is? right 0) (memq operator '(+ or xor << >> u>>))) left)
          ((and (is? right 1) (memq operator '(* /))) left)
          ((and (eq? operator '*) (constant? right) (power-of-two (value-of right)))
           => (lambda (n) (list '<< left (cons 'constant n))))
          ;; (x + 1) + 2
          ((and (memq operator '(+ * and or xor)) (constant? right) (pair? left) (eq? (car left) operator)
                (constant? (caddr left)))
           (list operator (cadr left) (simplified-pair operator (caddr left) right)))
          (else (list operator left right)))))

(define (power-of-two n)
  (and (> n 0) (= 0 (bitwise-and n (- n 1))) (- (integer-length n) 1)))

;; ---- instructions ------------------------------------------------------------------------------------

;; operator, its instruction, that with an immediate (#f: none), whether operands are the other way round
(define binary
  '((+ add addi #f) (- sub #f #f) (* mul muli #f) (/ div_s #f #f) (% rem_s #f #f) (u/ div_u #f #f) (u% rem_u #f #f)
    (and and andi #f) (or or ori #f) (xor xor xori #f) (<< shl shli #f) (>> shr_s shri_s #f) (u>> shr_u shri_u #f)
    (= eq eqi #f) (!= ne nei #f) (< lt_s lti_s #f) (> lt_s gti_s #t) (<= le_s #f #f) (>= le_s #f #t)
    (u< lt_u lti_u #f) (u> lt_u gti_u #t) (u<= le_u #f #f) (u>= le_u #f #t) (min min_s #f #f) (max max_s #f #f)))

(define (immediate? operator right)
  (and (constant? right)
       (caddr (assq operator binary))
       (or (not (memq operator '(<< >> u>>))) (<= 0 (value-of right) 63))))

(define loads
  '((u8 . ldu8) (u16 . ldu16) (u32 . ldu32) (u64 . ldu64) (s8 . lds8) (s16 . lds16) (s32 . lds32)))

;; The operands that are computed into registers, and what else the instruction needs.
(define (computed-operands tree)
  (cond ((leaf? tree) '())
        ((assq (car tree) loads)
         (if (and (pair? (cddr tree)) (not (constant? (caddr tree))))
             (list (list '+ (cadr tree) (caddr tree)))
             (list (cadr tree))))
        ((or (eq? (car tree) 'negate) (immediate? (car tree) (caddr tree))) (list (cadr tree)))
        (else (cdr tree))))

;; How many registers it takes to compute it, beyond those that the expression names.
(define (need tree)
  (cond ((register? tree) 0)
        ((constant? tree) 1)
        (else
         (let ((needs (map need (computed-operands tree))))
           (if (null? (cdr needs))
               (max 1 (car needs))
               (let ((a (car needs)) (b (cadr needs)))
                 (max 1 (if (= a b) (+ a 1) (max a b)))))))))

(define (mentions? tree register)
  (cond ((register? tree) (eqv? (cdr tree) register))
        ((constant? tree) #f)
        (else (any (lambda (operand) (mentions? operand register)) (cdr tree)))))

;; Instructions that put the tree's value into register `target`; registers from `free` on may be used.
(define (compile-expression target tree free)
  (code-for target (simplified tree) free))

(define (code-for target tree free)
  (cond ((register? tree) (if (eqv? target (cdr tree)) '() (list (list 'mov target (cdr tree)))))
        ((constant? tree)
         (list (if (< (value-of tree) 0) (list 'simm target (- (value-of tree))) (list 'imm target (value-of tree)))))
        (else
         (let ((operands (computed-operands tree)))
           (if (null? (cdr operands))
               (in-register (car operands) target free
                 (lambda (register) (list (instruction target tree register #f))))
               (in-registers operands target free
                 (lambda (left right) (list (instruction target tree left right)))))))))

;; Where the value of an operand is: a register that it names, or `place`, into which it is computed.
(define (in-register tree place free finish)
  (if (register? tree)
      (finish (cdr tree))
      (append (code-for place tree free) (finish place))))

;; Two operands. The first result waits while the other is computed: in the target, if the other does not read that.
(define (in-registers operands target free finish)
  (let* ((left (car operands)) (right (cadr operands))
         (left-first? (>= (need left) (need right)))
         (first (if left-first? left right))
         (second (if left-first? right left)))
    (define (done a b) (if left-first? (finish a b) (finish b a)))
    (cond ((or (register? first) (register? second))
           ;; What is in a register already must not be overwritten by computing the other.
           (let* ((computed (if (register? first) second first))
                  (place (if (or (register? computed) (not (mentions-leaf? operands target))) target free))
                  (free (if (eqv? place target) free (+ free 1))))
             (in-register first place free
               (lambda (a) (in-register second place free (lambda (b) (done a b)))))))
          ((mentions? second target)
           (append (code-for free first (+ free 1))
                   (code-for target second (+ free 1))
                   (done free target)))
          (else
           (append (code-for target first free)
                   (code-for free second (+ free 1))
                   (done target free))))))

(define (mentions-leaf? operands target)
  (any (lambda (operand) (and (register? operand) (eqv? (cdr operand) target))) operands))

(define (instruction target tree left right)
  (let ((operator (car tree)))
    (cond ((assq operator loads)
           => (lambda (row)
                (list (cdr row) target left
                      (if (and (pair? (cddr tree)) (constant? (caddr tree))) (value-of (caddr tree)) 0))))
          ((eq? operator 'negate) (list 'neg target left))
          (else
           (let ((row (assq operator binary)))
             (cond ((not right) (list (caddr row) target left (value-of (caddr tree))))
                   ((cadddr row) (list (cadr row) target right left))
                   (else (list (cadr row) target left right))))))))
