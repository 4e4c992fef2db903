;; The source lines and the macro expansions of the code that an assembly made.
;;
;;   (for-each-code-line a (lambda (file address line column) …))
;;   (code-lines a)        => a list of #(address file line column)
;;   (code-expansions a)   => a list of #(address macro file line column)
;;
;; A line holds to the next one. An expansion says where in the macro that its line calls, or that the expansion before
;; it for the same address calls, the code was made; it holds to the next address or line. The lists are in order of
;; addresses.
(module asm/tables)
(use scheme-lib/util)
(use asm/statement)
(use asm/assembly)
(use asm/origin)
(use asm/blocks)
(use asm/runs)
(declare (standard-bindings) (extended-bindings) (block))

(define (code-lines a)
  (lines-of (lambda (action) (for-each-code-line a action))))

(define (code-expansions a)
  (by-address (append-map made->expansions (made-code a))))

;; What forms made where code can be.
(define (made-code a)
  (filter (lambda (made) (section-executable? (made-section made))) (reverse (assembly-made a))))

;; for-each-line: does an action as for-each-code-line does.
(define (lines-of for-each-line)
  (let ((lines '()))
    (for-each-line (lambda (file address line column)
                     (set! lines (cons (vector address file line column) lines))))
    (by-address (reverse lines))))

;; Whether a statement is a line of the table by itself; what Scheme made has lines of its own. An instruction that
;; the source defines is not known when it is read.
(define (code-statement? statement)
  (memq (statement-kind statement) '(run fixed instruction unknown)))

;; Does (action file address line column) for each line of code, in any order. Takes no memory for them.
(define (for-each-code-line a action)
  (for-each-statement
   (lambda (statement)
     (if (statement-section statement)
         (let ((name (source-file-name (statement-file statement)))
               (address (+ (section-base (statement-section statement)) (statement-offset statement))))
           (case (statement-kind statement)
             ((run)
              (for-each-in-run (lambda (at size line column) (action name (+ address at) line column)) statement))
             (else
              (if (code-statement? statement)
                  (action name address (statement-line statement) (statement-column statement))))))))
   (source-statements (assembly-source a)))
  (for-each (lambda (made)
              (let ((source (made-source made)))
                (action (car source) (made-address made) (cadr source) (caddr source))))
            (made-code a)))

;; All statements, those in blocks too, and one for each instruction of a run.
(define (statement-list source)
  (let ((found '()))
    (for-each-statement
     (lambda (statement)
       (if (eq? (statement-kind statement) 'run)
           (vector-for-each (lambda (each) (set! found (cons each found))) (run->statements statement))
           (set! found (cons statement found))))
     (source-statements source))
    (reverse found)))

(define (by-address vectors)
  (sort vectors (lambda (x y) (< (vector-ref x 0) (vector-ref y 0)))))

(define (made-address made)
  (+ (section-base (made-section made)) (made-offset made)))

;; File, line and column: what the statement's own text made stands in the line of that text.
(define (made-source made)
  (let ((places (made-places made))
        (statement (made-statement made)))
    (if (and (pair? places) (not (place-macro (car places))))
        (list (place-file (car places)) (place-line (car places)) (place-column (car places)))
        (list (source-file-name (statement-file statement)) (statement-line statement) (statement-column statement)))))

(define (made->expansions made)
  (map (lambda (call) (apply vector (made-address made) call)) (made-calls made)))

;; Lists of macro, file, line and column, each called by the one before it.
(define (made-calls made)
  (filter-map
   (lambda (place)
     (and (place-macro place)
          (list (place-macro place) (place-file place) (place-line place) (place-column place))))
   (made-places made)))
