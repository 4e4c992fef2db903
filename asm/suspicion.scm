;; What is legal, but hardly meant: warnings about a source that has been assembled.
(module asm/suspicion)
(use scheme-lib/util)
(use asm/isa)
(use asm/statement)
(use asm/assembly)
(use asm/blocks)
(use asm/runs)
(declare (standard-bindings) (extended-bindings) (block))

;; One look at each statement, of which a source can have very many.
(define (note-suspicions! a)
  (let ((unused (unused-labels a))
        (any? #f)
        (ended #f)         ; the entry of the instruction before, if it never goes on; or `told`
        (section #f))
    ;; The entry of what keeps an instruction from being reached, when that is to be told; else #f.
    (define (unreached-behind entry in-section)
      (if (and ended (eq? section in-section))
          (let ((before ended))
            (set! ended 'told)
            (and (not (eq? before 'told)) before))
          (begin
            (set! ended (and (memq entry never-go-on) entry))
            (set! section in-section)
            #f)))
    (define (look-at-instruction statement)
      (let ((before (unreached-behind (statement-head statement) (statement-section statement))))
        (if before (note-unreached! a statement before))))
    (define (look-at-run run)
      (for-each-in-run
       (lambda (at size line column)
         (let* ((entry (isa-at (statement-operands run) at))
                (before (unreached-behind entry (statement-section run)))
                (shift? (memq entry shifts)))
           (if (or before shift?)
               (let ((statement (instruction-of-run run at size line column)))
                 (if before (note-unreached! a statement before))
                 (if shift? (check-shift! a statement))))))
       run))
    (for-each-statement
     (lambda (statement)
       (set! any? #t)
       (case (statement-kind statement)
         ((run) (look-at-run statement))
         ((instruction) (look-at-instruction statement))
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

;; Those whose last operand is a count.
(define shifts
  (filter (lambda (entry)
            (let* ((kinds (isa-entry-kinds entry)) (n (string-length kinds)))
              (and (> n 0) (char=? #\c (string-ref kinds (- n 1))))))
          (isa-entries)))

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
