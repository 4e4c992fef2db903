;; A routine is a list of instructions, (name operand ...), and symbols for labels. Registers and numbers are integers;
;; where a branch leads is a symbol; what `hcall` calls is a string.
;;
;;   (emit-routine! code '((beqi 1 0 none) (hcall 4 "clock") none (ret)) (lambda (name) number))
(module scheme-lib/loaders/wasm/routine)
(use vm-ext/gambit/vm)
(use scheme-lib/loaders/wasm/code)
(declare (block))

(define kinds (make-table test: eq?))
(vector-for-each (lambda (entry) (table-set! kinds (vector-ref entry 0) (vector-ref entry 2))) (vm-isa))

(define (emit-routine! code forms import-number)
  (let ((labels (make-table test: eq?)))
    (define (label name)
      (or (table-ref labels name #f)
          (let ((new (make-label))) (table-set! labels name new) new)))
    (define (field kind operand)
      (case kind
        ((#\i #\o) (zigzag operand))
        ((#\h) (import-number operand))
        (else operand)))
    (define (emit-form! form)
      (let* ((op (opcode (car form)))
             (kinds (string->list (table-ref kinds (car form))))
             (fields (map (lambda (kind operand) (if (char=? kind #\p) operand (field kind operand)))
                          kinds (cdr form))))
        (if (memv #\p kinds)
            (let ((before (cdr (reverse fields))))
              (branch! code op
                       (and (pair? before) (car (reverse before)))
                       (and (pair? before) (pair? (cdr before)) (car before))
                       (label (car (reverse fields)))))
            (apply emit! code op fields))))
    (for-each (lambda (form) (if (symbol? form) (bind-label! code (label form)) (emit-form! form))) forms)))
