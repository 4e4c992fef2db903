;; Jumps that grow because others grew, all of them between two passes.
;;
;; A pass goes forwards, so that in a chain of jumps of which each one just reaches over the next ones, what has grown
;; at the chain's end makes only the few before it grow in the next pass. From the last of the free passes on, a pass
;; therefore notes its branches to labels of their own section and its .align directives, the pieces, and when it has
;; not settled, sizes and places are worked out for these alone, until every branch has room for its distance. The next
;; pass begins from there, and settles if nothing else moves.
;;
;; This is a prediction: what it does not know (other forms that depend on addresses) the passes find as ever, and
;; nothing has settled before a pass has found everything where it was predicted. Where all that depends on addresses
;; are branches, the sizes are the least ones that there can be, whichever way they are found.
;;
;;   (note-target! a operand value)        ; a branch's operand has this value
;;   (note-branch! a entry fields size)    ; its instruction follows
;;   (relax! a)                            ; behind the pass
(module asm/relax)
(use scheme-lib/util)
(use scheme-lib/leb128)
(use asm/isa)
(use asm/statement)
(use asm/expression)
(use asm/encode)
(use asm/number)
(use asm/blocks)
(use asm/assembly)
(declare (standard-bindings) (extended-bindings) (block))

(define-type piece
  section
  offset
  size
  target      ; the entry of a symbol; #f for an alignment
  addend      ; so many bytes behind the target
  rest        ; bytes beside the field that leads to the target; the alignment
  statement
  number)     ; of the item in the statement; #f for an alignment

;; Whether this pass notes what it needs for relax!.
(define (relaxing? a)
  (and (>= (assembly-pass a) free-passes) (not (assembly-object? a))))

;; ---- what a pass notes -------------------------------------------------------------------------------

;; Distances beyond this are none of a section's.
(define farthest (expt 2 40))

;; The operand is a label, in the linker perhaps with a number added, if the symbol that was asked for last has its
;; value.
(define (note-target! a operand value)
  (let* ((entry (assembly-met a))
         (addend (and entry
                      (symbol-entry-section entry)
                      (exact-integer? value)
                      (- value (symbol-entry-address a entry)))))
    (assembly-target-set! a
      (and addend
           (or (eqv? addend 0) (and (one-symbol? operand) (< (abs addend) farthest)))
           (cons entry addend)))))

(define (one-symbol? operand)
  (and (expression? operand)
       (eq? 'sum (expression-operator operand))
       (let ((terms (cdr (expression-arguments operand))))
         (and (= 2 (length terms)) (eqv? 1 (car terms)) (= 1 (length (expression-symbols operand)))))))

(define (note-branch! a entry fields size)
  (let* ((target (assembly-target a))
         (kinds (isa-entry-kinds entry))
         (index (string-index kinds #\p)))
    (if (and target index (= index (string-index-right kinds #\p)))
        (let ((field (list-ref fields index)))
          (note-piece! a size (car target) (cdr target)
                       (- (+ (u8vector-length (isa-entry-opcode-bytes entry)) (fields-length fields))
                          (uleb128-length field))
                       (assembly-item-count a))))))

(define (note-alignment! a alignment size)
  (note-piece! a size #f 0 alignment #f))

(define (note-piece! a size target addend rest number)
  (let ((section (current-section a)))
    (assembly-pieces-set! a
      (cons (make-piece section (section-size section) size target addend rest (assembly-statement a) number)
            (assembly-pieces a)))))

;; ---- a section's pieces ------------------------------------------------------------------------------

;; growths: for each piece, how much larger it is than the pass had it; sums: element k, counted from 1, is the sum of
;; as many growths up to the k-th as the lowest bit of k says, so that the sum of the first ones takes few steps.
(define-type row pieces growths sums)

(define (make-row-of pieces)
  (let* ((pieces (list->vector pieces)) (count (vector-length pieces)))
    (make-row pieces (make-vector count 0) (make-vector (+ 1 count) 0))))

(define (growth-before row index)
  (let ((sums (row-sums row)))
    (let loop ((k index) (sum 0))
      (if (fx= k 0) sum (loop (fxand k (fx- k 1)) (fx+ sum (vector-ref sums k)))))))

(define (grow-piece! row index by)
  (let* ((growths (row-growths row)) (sums (row-sums row)) (count (vector-length sums)))
    (vector-set! growths index (fx+ by (vector-ref growths index)))
    (let loop ((k (fx+ index 1)))
      (if (fx< k count)
          (begin
            (vector-set! sums k (fx+ by (vector-ref sums k)))
            (loop (fx+ k (fxand k (fx- k)))))))))

;; How large the piece is now.
(define (size-now row index)
  (+ (piece-size (vector-ref (row-pieces row) index)) (vector-ref (row-growths row) index)))

;; How many pieces lie before what stands at an offset: what has no bytes there lies before it, as the .align that
;; needed none.
(define (pieces-before row offset)
  (let* ((pieces (row-pieces row)) (count (vector-length pieces)))
    (let search ((low 0) (high count))
      (if (fx< low high)
          (let ((middle (fxquotient (fx+ low high) 2)))
            (if (< (piece-offset (vector-ref pieces middle)) offset)
                (search (fx+ middle 1) high)
                (search low middle)))
          (let skip ((index low))
            (if (and (fx< index count)
                     (let ((piece (vector-ref pieces index)))
                       (and (= offset (piece-offset piece)) (= 0 (piece-size piece)))))
                (skip (fx+ index 1))
                index))))))

(define (growth-at row offset)
  (growth-before row (pieces-before row offset)))

;; ---- sizes -------------------------------------------------------------------------------------------

;; A piece that grows makes those that begin so few pieces from it look again at once: the smallest branches reach no
;; further. So most is found in one sweep, whichever way it spreads.
(define nearby 32)

;; Sweeps go forwards and backwards in turn. What takes more than so many is left to the next pass.
(define most-sweeps 100)

;; Makes branches larger until each has room, and alignments right.
(define (settle-row! a row)
  (let* ((pieces (row-pieces row))
         (count (vector-length pieces))
         (targets (vector-map
                   (lambda (piece)
                     (and (piece-target piece) (pieces-before row (symbol-entry-offset (piece-target piece)))))
                   pieces)))
    (define (distance piece index)
      (+ (- (+ (symbol-entry-offset (piece-target piece)) (piece-addend piece)) (piece-offset piece))
         (- (growth-before row (vector-ref targets index)) (growth-before row index))))
    ;; How much larger the piece must be than it is now.
    (define (missing index)
      (let ((piece (vector-ref pieces index)))
        (if (piece-target piece)
            (max 0 (- (+ (piece-rest piece) (uleb128-length (zigzag (distance piece index)))) (size-now row index)))
            (- (modulo (- (+ (section-base (piece-section piece)) (piece-offset piece) (growth-before row index)))
                       (piece-rest piece))
               (size-now row index)))))
    (define (sweep first step)
      (let loop ((index first) (changed? #f))
        (if (and (fx>= index 0) (fx< index count))
            (let ((by (missing index)))
              (cond ((eqv? by 0) (loop (fx+ index step) changed?))
                    (else
                     (grow-piece! row index by)
                     (loop (if (> by 0) (fxmax 0 (fxmin (fx- count 1) (fx- index (fx* nearby step)))) (fx+ index step))
                           #t))))
            changed?)))
    (let loop ((sweeps 0))
      (if (and (< sweeps most-sweeps)
               (if (even? sweeps) (sweep 0 1) (sweep (- count 1) -1)))
          (loop (+ sweeps 1))))))

;; ---- behind a pass -----------------------------------------------------------------------------------

;; Pieces whose targets are theirs: in this pass, in the same section.
(define (rows-of a)
  (let ((lists (make-table test: eq?)) (rows (make-table test: eq?)))
    (for-each
     (lambda (piece)
       (let ((section (piece-section piece)) (target (piece-target piece)))
         (if (or (not target)
                 (and (eq? section (symbol-entry-section target))
                      (= (symbol-entry-pass target) (assembly-pass a))))
             (table-set! lists section (cons piece (table-ref lists section '()))))))
     (assembly-pieces a))
    (table-for-each (lambda (section pieces) (table-set! rows section (make-row-of pieces))) lists)
    rows))

;; Sets sizes and places as they will be: those of the pass before, for the next one.
(define (relax! a)
  (let ((rows (rows-of a)))
    (define (row-of section) (and section (table-ref rows section #f)))
    (table-for-each (lambda (section row) (settle-row! a row)) rows)
    (for-each
     (lambda (entry)
       (let ((row (and (= (symbol-entry-pass entry) (assembly-pass a)) (row-of (symbol-entry-section entry)))))
         (if row (symbol-entry-move! entry (growth-at row (symbol-entry-offset entry))))))
     (symbol-entries a))
    (for-each-statement
     (lambda (statement)
       (let ((row (row-of (statement-section statement))))
         (if row
             (statement-offset-set! statement
               (+ (statement-offset statement) (growth-at row (statement-offset statement)))))))
     (source-statements (assembly-source a)))
    (table-for-each
     (lambda (section row)
       (set-item-sizes! row)
       (section-size-set! section (+ (section-size section) (growth-before row (vector-length (row-pieces row))))))
     rows)
    (place-sections! a)))

;; The sizes that statements remember of their items, of which one that ended in an error may remember fewer. Pieces of
;; one statement stand one behind the other.
(define (set-item-sizes! row)
  (let ((pieces (row-pieces row)))
    (let loop ((index 0) (statement #f) (sizes '()) (reached 0))
      (if (< index (vector-length pieces))
          (let* ((piece (vector-ref pieces index)) (number (piece-number piece)))
            (cond ((not number) (loop (+ index 1) statement sizes reached))
                  ((eq? statement (piece-statement piece))
                   (let ((sizes (behind sizes (- number reached))))
                     (if (pair? sizes) (set-car! sizes (size-now row index)))
                     (loop (+ index 1) statement sizes number)))
                  (else (loop index (piece-statement piece) (statement-sizes (piece-statement piece)) 0))))))))

(define (behind list count)
  (if (and (> count 0) (pair? list)) (behind (cdr list) (- count 1)) list))
