;; What libraries of macros stand on. A library is loaded once and serves every source and every pass, so it asks
;; for names, addresses and what it must remember here, of the assembly that is under way.
;;
;;   (macro-unique-name "loop")                 => "loop.7"
;;   (macro-state 'texts '())                   what this pass has set, or '()
;;
;; A macro that keeps its parts' positions is a procedure from source object to source object, which the header
;; names: (##define-syntax $twice (lambda (source) (my/library#expand-twice source))). Then errors, listings and
;; the debugger go by the lines of what stands in it.
;;
;;   (define (expand-twice source)
;;     (let ((statement (cadr (parts source))))
;;       (form source 'list statement statement)))
;;
;;   (define (expand-clear source)                    ; what it makes by itself: (macro-form source name code)
;;     (macro-form source "$clear" (list 'my/library#clear-code (cadr (parts source)))))
;;   (define (clear-code register) (list (list 'imm register 0)))
(module asm/macro)
(use scheme-lib/util)
(use asm/diagnostic)
(use asm/expression)
(use asm/assembly)
(use asm/value)
(declare (block))

(define (assembly)
  (or (current-assembly) (error "no source is being assembled, which a macro of the assembler needs")))

;; A name for a label that nothing else has.
(define (macro-unique-name prefix)
  (unique-name! (assembly) prefix))

;; The value of a label or symbol, as far as the pass knows it.
(define (macro-address name)
  (symbol-address (assembly) (->label-name name)))

;; How far one label is behind another; in an object, an expression.
(define (macro-distance name from)
  (make-sum 0 (list (cons 1 (macro-address name)) (cons -1 (macro-address from)))))

;; An operand or a datum of so many bytes, whose value the thunk gives where it ends up.
(define (macro-relocation thunk size)
  (make-relocation thunk size))

;; What the libraries remember during a pass, by a name of their own.
(define (macro-state name default)
  (table-ref (assembly-states (assembly)) name default))

(define (macro-state-set! name value)
  (table-set! (assembly-states (assembly)) name value))

;; A mistake in how a macro is used.
(define (macro-fail . parts)
  (apply fail parts))

;; ---- source objects ----------------------------------------------------------------------------------

;; The parts of a form, or #f where it is no list.
(define (parts source)
  (let ((code (if (##source? source) (##source-code source) source)))
    (and (list? code) code)))

;; A source as plain data.
(define (datum source)
  (cond ((##source? source) (datum (##source-code source)))
        ((pair? source) (cons (datum (car source)) (datum (cdr source))))
        (else source)))

;; Code in the place of another one, which has none where a macro made it that keeps no positions.
(define (at source code)
  (##make-source code (and (##source? source) (##source-locat source))))

;; A new form in the place of another one.
(define (form source . parts)
  (at source parts))

;; The same; what it gives counts as made in this place, as far as its parts do not know better.
(define (located-form source code)
  (form source 'located code))

;; (macro-form source name code): code in the place of another one, of which what it gives counts as made by the macro
;; `name` that is used in this place: errors stay with the source, and listings and the debugger see the macro, whose
;; place is where macro-form stands in its library.
(define (macro-form-from source name code file line column)
  (form source 'located code name file line column))

;; The word that a form begins with, as text: the name of the macro that is used.
(define (macro-name source)
  (symbol->string (datum (car (parts source)))))
