;; Blocks of statements: .if … .elseif … .else … .endif, .rept … .endr, .irp … .endr. The reader gives the
;; directives and what stands between them as one flat list; here they become statements of the kind `block`,
;; which hold what a pass chooses from, or repeats.
(module asm/blocks)
(use scheme-lib/util)
(use asm/diagnostic)
(use asm/statement)

;; The clauses are tried in order; `chosen` is the one of the pass before, or #f.
(define-type conditional clauses (chosen))

;; test: the statement .if, .ifdef, .ifndef, .elseif or .else
(define-type clause test body)

;; Statements keep what a pass must know of the one before, so that each round has copies of its own.
(define-type repetition
  variable     ; a symbol, or #f for .rept
  values       ; of .irp, as operands
  body
  (copies))    ; vectors of statements, for the rounds that there have been

(define conditions '(".if" ".ifdef" ".ifndef"))
(define repetitions '(".rept" ".irp"))
(define openers (append conditions repetitions))
(define alternatives '(".elseif" ".else"))

(define (directive-in? statement names)
  (and (eq? (statement-kind statement) 'directive)
       (member (statement-head statement) names)))

(define (named? statement name)
  (directive-in? statement (list name)))

;; A vector of statements from a flat list. `report` gets the statement and the words of each mistake; what
;; a mistake makes senseless is left out.
(define (nest-blocks statements report)
  (let ((left statements))
    (define (next!)
      (let ((statement (car left)))
        (set! left (cdr left))
        statement))
    ;; Up to a directive of `ends`, which stays, or to the end.
    (define (body ends)
      (let loop ((found '()))
        (cond ((or (null? left) (directive-in? (car left) ends)) (list->vector (reverse found)))
              ((directive-in? (car left) openers) (loop (cons (block (next!)) found)))
              ((directive-in? (car left) '(".endif" ".endr" ".elseif" ".else"))
               (let ((statement (next!)))
                 (report statement (text "`" (statement-head statement) "` belongs to no "
                                         (if (named? statement ".endr") "`.rept` or `.irp`" "`.if`")
                                         " before it"))
                 (loop found)))
              (else (loop (cons (next!) found))))))
    (define (close! opener end)
      (if (null? left)
          (report opener (text "this `" (statement-head opener) "` is never closed: expected `" end
                               "` before the end of the file"))
          (next!)))
    (define (block opener)
      (let ((contents (if (directive-in? opener conditions) (conditional opener) (repetition opener))))
        (make-statement 'block (statement-file opener) (statement-line opener) (statement-column opener)
                        (statement-head opener) contents '() #f 0)))
    (define (conditional opener)
      (let loop ((test opener) (clauses '()))
        (let* ((inside (body '(".elseif" ".else" ".endif" ".endr")))
               (clauses (cons (make-clause test inside) clauses)))
          (cond ((and (pair? left) (directive-in? (car left) alternatives))
                 (if (named? test ".else")
                     (report (car left) (text "`" (statement-head (car left)) "` behind `.else`: expected `.endif`")))
                 (loop (next!) clauses))
                (else
                 (close-with! opener ".endif")
                 (make-conditional (reverse clauses) #f))))))
    (define (repetition opener)
      (let ((inside (body '(".endr" ".endif" ".elseif" ".else")))
            (operands (statement-operands opener)))
        (close-with! opener ".endr")
        (cond ((named? opener ".rept")
               (if (not (= 1 (length operands)))
                   (report opener "`.rept` expects one number, how often its lines are repeated"))
               (make-repetition #f operands inside '()))
              ((and (pair? operands) (name? (car operands)))
               (make-repetition (name-symbol (car operands)) (cdr operands) inside '()))
              (else
               (report opener "`.irp` expects a name and values, such as .irp register, r1, r2")
               (make-repetition #f '(0) '#() '())))))
    ;; Another block's end closes this one as well, so that one mistake is told of once.
    (define (close-with! opener end)
      (if (and (pair? left) (not (named? (car left) end)))
          (report (car left) (text "found `" (statement-head (car left)) "`, but the `" (statement-head opener)
                                   "` of line " (statement-line opener) " is open: expected `" end "`")))
      (close! opener end))
    (body '())))

;; ---- copies ------------------------------------------------------------------------------------------

;; New statements for one round. A name that is the variable becomes the value where that is something
;; written; numbers are in the Scheme variable of that name.
(define (copy-of-body body variable value)
  (define replace
    (if (and variable (not (number? value)) (not (real? value)))
        (lambda (operand)
          (if (and (name? operand) (eq? (name-symbol operand) variable)) value operand))
        (lambda (operand) operand)))
  (define (copy-body body) (vector-map copy body))
  (define (copy statement)
    (let ((operands (statement-operands statement)))
      (make-statement (statement-kind statement) (statement-file statement) (statement-line statement)
                      (statement-column statement) (statement-head statement)
                      (case (statement-kind statement)
                        ((instruction) (vector-map replace operands))
                        ((directive) (map replace operands))
                        ((block) (copy-block operands))
                        (else operands))
                      '() #f 0)))
  (define (copy-block block)
    (if (conditional? block)
        (make-conditional (map (lambda (clause) (make-clause (copy (clause-test clause)) (copy-body (clause-body clause))))
                               (conditional-clauses block))
                          #f)
        (make-repetition (repetition-variable block) (map replace (repetition-values block))
                         (copy-body (repetition-body block)) '())))
  (copy-body body))

;; ---- all statements ----------------------------------------------------------------------------------

;; Those that stand in blocks too, in the order in which they run.
(define (for-each-statement action statements)
  (vector-for-each
   (lambda (statement)
     (if (eq? (statement-kind statement) 'block)
         (let ((block (statement-operands statement)))
           (if (conditional? block)
               (for-each (lambda (clause) (for-each-statement action (clause-body clause)))
                         (conditional-clauses block))
               (for-each (lambda (copy) (for-each-statement action copy))
                         (if (null? (repetition-copies block))
                             (list (repetition-body block))
                             (repetition-copies block)))))
         (action statement)))
   statements))

;; They do not stand anywhere any more.
(define (forget-statements! statements)
  (for-each-statement
   (lambda (statement)
     (statement-section-set! statement #f)
     (statement-sizes-set! statement '()))
   statements))
