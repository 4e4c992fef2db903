;; Variables that are on WebAssembly's operand stack only. Which register such an operand is in, if it is in one, is
;; known while the body is compiled, where the variable begins to be there.
;;
;;   (define o (make-operand 1 #f #f))         the second from the bottom; a term of a place
;;   (define all (make-operands table))        offset in the module's file -> operands that begin there
;;   (place-operands! all f at)                before each instruction for which (operands-waiting? all at)
;;   (known-place (list 'at o 1048576))        => (at r5 1048576); #f if it never was in a register
(module scheme-lib/loaders/wasm/operands)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/function)
(use scheme-lib/loaders/wasm/code)
(declare (standard-bindings) (extended-bindings) (block))

;; place: the register or the number, once it is known, and from: the address from which on it is there
(define-type operand constructor: make-operand height place from)

;; waiting: those of the function under compilation that are not known yet
(define-type operands constructor: construct-operands table waiting)
(define (make-operands table) (construct-operands table '()))

(define (operands-of place)
  (cond ((operand? place) (list place))
        ((pair? place) (filter operand? (cdr place)))
        (else '())))

;; An instruction that is still open can yet give its result to another register: then who comes next is asked.
(define (place-operands! all f at)
  (operands-waiting-set! all
    (remove (lambda (operand) (decided! operand f))
            (append (table-ref (operands-table all) at '()) (operands-waiting all)))))

(define (operands-waiting? all) (pair? (operands-waiting all)))

(define (decided! operand f)
  (let ((height (operand-height operand)) (code (function-code f)))
    (or (not (code-live? code))
        (>= height (function-height f))                              ; it was taken
        (let ((register (register-at f height)))
          (cond ((constant? f height) (known! operand code (constant f height)))
                ((not (= register (home f height))))                 ; a local, of which there is nothing to be said
                ((last-writes? code register) #f)
                (else (known! operand code (string->symbol (text "r" register)))))))))

(define (known! operand code place)
  (operand-place-set! operand place)
  (operand-from-set! operand (+ (code-base code) (code-length code))))

;; With what is known in the place of operands.
(define (known-place place)
  (let ((operands (operands-of place)))
    (cond ((null? operands) place)
          ((not (every operand-place operands)) #f)
          ((pair? place) (map (lambda (term) (if (operand? term) (operand-place term) term)) place))
          ((symbol? (operand-place place)) (operand-place place))
          (else (list 'is (operand-place place))))))

;; The address from which on it holds, at least `from`.
(define (place-from place from)
  (apply max from (map operand-from (operands-of place))))
