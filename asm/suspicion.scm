;; What is legal, but hardly meant: warnings about a source that has been assembled.
(module asm/suspicion)
(use scheme-lib/util)
(use asm/isa)
(use asm/number)
(use asm/statement)
(use asm/assembly)
(use asm/tables)
(declare (standard-bindings) (extended-bindings) (block))

(define (note-suspicions! a)
  (let ((statements (statement-list (assembly-source a))))
    (check-not-empty! a statements)
    (check-reached! a statements)
    (check-shifts! a statements)
    (check-local-labels! a statements)))

(define (check-not-empty! a statements)
  (if (and (not (assembly-object? a))
           (every (lambda (section) (= 0 (section-size section))) (assembly-sections a))
           (every symbol-entry-local? (symbol-entries a)))
      (note-warning-at! a
                        (if (pair? statements)
                            (car statements)
                            (make-statement 'form (source-file (assembly-source a)) 1 1 #f #f '() #f 0))
                        "the source makes no code and no data: its program would trap at once")))

;; ---- code that nothing reaches -----------------------------------------------------------------------

(define never-go-on
  (filter-map isa-find '("jump" "jumpr" "ret" "tail" "tailr" "halt" "trap" "brk")))

(define (instruction? statement)
  (memq (statement-kind statement) '(fixed instruction)))

;; Of instructions that stand together the first is told of. ended: the entry of the one before that never goes on.
(define (check-reached! a statements)
  (let loop ((statements statements) (ended #f) (section #f))
    (if (pair? statements)
        (let* ((statement (car statements))
               (entry (and (instruction? statement) (statement-head statement))))
          (cond ((not entry) (loop (cdr statements) #f #f))
                ((and ended (eq? section (statement-section statement)))
                 (if (not (eq? ended 'told))
                     (note-warning-at! a statement
                                       (text "nothing reaches this instruction: the `" (isa-entry-name ended)
                                             "` before it never goes on to it, and no label stands between them")))
                 (loop (cdr statements) 'told section))
                (else
                 (loop (cdr statements) (and (memq entry never-go-on) entry) (statement-section statement))))))))

;; ---- shifts ------------------------------------------------------------------------------------------

(define shifts
  (filter (lambda (entry) (string-index (isa-entry-kinds entry) #\c)) (isa-entries)))

(define (width entry)
  (if (string-contains (isa-entry-name entry) "32") 32 64))

;; A shift by a number is known when the source is read; its count is the last byte.
(define (check-shifts! a statements)
  (for-each
   (lambda (statement)
     (if (and (eq? (statement-kind statement) 'fixed) (memq (statement-head statement) shifts))
         (let* ((bytes (statement-operands statement))
                (last (u8vector-ref bytes (- (u8vector-length bytes) 1)))
                (width (width (statement-head statement))))
           (if (or (>= last width) (long-count? bytes (statement-head statement)))
               (note-warning-at! a statement
                                 (text "the shift count is " width " or more: only its low "
                                       (if (= width 64) 6 5) " bits count"))))))
   statements))

;; Whether the last field has several bytes.
(define (long-count? bytes entry)
  (and (>= (u8vector-length bytes) 2)
       (>= (u8vector-ref bytes (- (u8vector-length bytes) 2)) 128)
       ;; Not the end of the field before: three fields end in three bytes below 128.
       (let ((ends (length (filter (lambda (byte) (< byte 128)) (u8vector->list bytes)))))
         (= ends (+ 1 (string-length (isa-entry-kinds entry)))))))

;; ---- labels ------------------------------------------------------------------------------------------

;; Other labels may be meant for the debugger, or for other programs.
(define (check-local-labels! a statements)
  (let ((unused (filter (lambda (entry)
                          (and (symbol-entry-local? entry)
                               (eq? (symbol-entry-kind entry) 'label)
                               (not (symbol-entry-used? entry))))
                        (symbol-entries a))))
    (for-each
     (lambda (statement)
       (if (and (eq? (statement-kind statement) 'label)
                (any (lambda (entry)
                       (and (eq? (symbol-entry-file entry) (statement-file statement))
                            (equal? (symbol-entry-place entry)
                                    (cons (statement-line statement) (statement-column statement)))))
                     unused))
           (note-warning-at! a statement
                             (text "nothing refers to the label `" (statement-head statement)
                                   "`, which is visible only here"))))
     statements)))
