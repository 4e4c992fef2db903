;; What is legal, but hardly meant: warnings about a source that has been assembled.
(module asm/suspicion)
(use scheme-lib/util)
(use asm/isa)
(use asm/statement)
(use asm/assembly)
(use asm/blocks)
(declare (standard-bindings) (extended-bindings) (block))

;; One look at each statement, of which a source can have very many.
(define (note-suspicions! a)
  (let ((unused (unused-labels a))
        (any? #f)
        (ended #f)         ; the entry of the instruction before, if it never goes on; or `told`
        (section #f))
    (define (look-at-instruction statement)
      (if (and ended (eq? section (statement-section statement)))
          (begin
            (if (not (eq? ended 'told)) (note-unreached! a statement ended))
            (set! ended 'told))
          (begin
            (set! ended (and (memq (statement-head statement) never-go-on) (statement-head statement)))
            (set! section (statement-section statement))))
      (if (and (eq? (statement-kind statement) 'fixed) (counts-shift? (statement-head statement)))
          (check-shift! a statement)))
    (for-each-statement
     (lambda (statement)
       (set! any? #t)
       (case (statement-kind statement)
         ((fixed instruction) (look-at-instruction statement))
         (else
          (set! ended #f)
          (if (and (pair? unused) (eq? (statement-kind statement) 'label)) (check-label! a statement unused)))))
     (source-statements (assembly-source a)))
    (check-not-empty! a any?)))

(define (check-not-empty! a any?)
  (if (and (not (assembly-object? a))
           (every (lambda (section) (= 0 (section-size section))) (assembly-sections a))
           (every symbol-entry-local? (symbol-entries a)))
      (note-warning-at! a
                        (if any?
                            (vector-ref (source-statements (assembly-source a)) 0)
                            (make-statement 'form (source-file (assembly-source a)) 1 1 #f #f '() #f 0))
                        "the source makes no code and no data: its program would trap at once")))

;; ---- code that nothing reaches -----------------------------------------------------------------------

(define never-go-on
  (filter-map isa-find '("jump" "jumpr" "ret" "tail" "tailr" "halt" "trap" "brk")))

;; The first of instructions that stand together, behind one that never goes on.
(define (note-unreached! a statement ended)
  (note-warning-at! a statement
                    (text "nothing reaches this instruction: the `" (isa-entry-name ended)
                          "` before it never goes on to it, and no label stands between them")))

;; ---- shifts ------------------------------------------------------------------------------------------

;; The count is the last operand.
(define (counts-shift? entry)
  (let* ((kinds (isa-entry-kinds entry)) (n (string-length kinds)))
    (and (> n 0) (char=? #\c (string-ref kinds (- n 1))))))

(define (width entry)
  (if (string-contains (isa-entry-name entry) "32") 32 64))

;; A shift by a number is known when the source is read.
(define (check-shift! a statement)
  (let* ((bytes (statement-operands statement))
         (last (u8vector-ref bytes (- (u8vector-length bytes) 1)))
         (width (width (statement-head statement))))
    (if (or (>= last width) (long-count? bytes))
        (note-warning-at! a statement
                          (text "the shift count is " width " or more: only its low "
                                (if (= width 64) 6 5) " bits count")))))

;; Whether the last field has several bytes: then the byte before its last one says that it goes on.
(define (long-count? bytes)
  (>= (u8vector-ref bytes (- (u8vector-length bytes) 2)) 128))

;; ---- labels ------------------------------------------------------------------------------------------

;; Other labels than local ones may be meant for the debugger, or for other programs.
(define (unused-labels a)
  (filter (lambda (entry)
            (and (symbol-entry-local? entry)
                 (eq? (symbol-entry-kind entry) 'label)
                 (not (symbol-entry-used? entry))))
          (symbol-entries a)))

(define (check-label! a statement unused)
  (if (any (lambda (entry)
             (and (eq? (symbol-entry-file entry) (statement-file statement))
                  (equal? (symbol-entry-place entry)
                          (cons (statement-line statement) (statement-column statement)))))
           unused)
      (note-warning-at! a statement
                        (text "nothing refers to the label `" (statement-head statement)
                              "`, which is visible only here"))))
