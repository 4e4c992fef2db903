;; Instructions that are the same wherever they stand, which most of a long source consists of, are kept many in one
;; statement of the kind `run`: their bytes as one u8vector, and in another where in the source they are. So a pass
;; copies them together, and a line takes a few bytes of memory.
;;
;;   (define builder (make-run-builder))
;;   (run-add! builder bytes size line column)      ; while (run-full? builder) is #f
;;   (run-take! builder file)                       ; the statement; the builder is empty again
;;   (for-each-in-run (lambda (at size line column) …) statement)
;;   (for-each-place (lambda (at size line column) …) places line)
;;
;; In the vector of places, each instruction has its size (a byte), how many lines it is behind the one before (the
;; first, behind the statement's line) and its column; these two in ULEB128.
(module asm/runs)
(use scheme-lib/util)
(use asm/isa)
(use scheme-lib/leb128)
(use asm/statement)
(declare (standard-bindings) (extended-bindings) (block))

;; A run is full when the next instruction might not fit.
(define most-bytes 4096)
(define most-places 4096)
(define longest-instruction 127)
(define longest-place 21)

(define-type run-builder
  constructor: construct-run-builder
  bytes
  (size)
  places
  (places-size)
  (first-line)
  (first-column)
  (last-line))

(define (make-run-builder)
  (construct-run-builder (make-u8vector most-bytes) 0 (make-u8vector most-places) 0 0 0 0))

(define (run-empty? builder)
  (fx= 0 (run-builder-size builder)))

(define (run-full? builder)
  (or (fx> (run-builder-size builder) (fx- most-bytes longest-instruction))
      (fx> (run-builder-places-size builder) (fx- most-places longest-place))))

;; The first `size` bytes of a u8vector are an instruction.
(define (run-add! builder bytes size line column)
  (let ((at (run-builder-size builder))
        (places (run-builder-places builder))
        (n (run-builder-places-size builder)))
    (if (fx= at 0)
        (begin
          (run-builder-first-line-set! builder line)
          (run-builder-first-column-set! builder column)
          (run-builder-last-line-set! builder line)))
    (subu8vector-move! bytes 0 size (run-builder-bytes builder) at)
    (run-builder-size-set! builder (fx+ at size))
    (u8vector-set! places n size)
    (let ((n (uleb128-put! places (fx+ n 1) (fx- line (run-builder-last-line builder)) 1)))
      (run-builder-places-size-set! builder (uleb128-put! places n column 1)))
    (run-builder-last-line-set! builder line)))

(define (run-take! builder file)
  (let ((bytes (subu8vector (run-builder-bytes builder) 0 (run-builder-size builder)))
        (places (subu8vector (run-builder-places builder) 0 (run-builder-places-size builder))))
    (run-builder-size-set! builder 0)
    (run-builder-places-size-set! builder 0)
    (make-statement 'run file (run-builder-first-line builder) (run-builder-first-column builder) places bytes
                    '() #f 0)))

;; Does (action at size line column) for each instruction; `at` is its offset in the bytes.
(define (for-each-in-run action statement)
  (for-each-place action (statement-head statement) (statement-line statement)))

;; The same for a vector of places and the line from which it counts.
(define (for-each-place action places line)
  (let ((end (u8vector-length places)))
    (let next ((i 0) (at 0) (line line))
      (if (fx< i end)
          (let ((size (u8vector-ref places i)))
            (let read-line ((i (fx+ i 1)) (shift 0) (value 0))
              (let* ((byte (u8vector-ref places i))
                     (value (fxior value (fxarithmetic-shift-left (fxand byte 127) shift))))
                (if (fx>= byte 128)
                    (read-line (fx+ i 1) (fx+ shift 7) value)
                    (let ((line (fx+ line value)))
                      (let read-column ((i (fx+ i 1)) (shift 0) (value 0))
                        (let* ((byte (u8vector-ref places i))
                               (value (fxior value (fxarithmetic-shift-left (fxand byte 127) shift))))
                          (if (fx>= byte 128)
                              (read-column (fx+ i 1) (fx+ shift 7) value)
                              (begin
                                (action at size line value)
                                (next (fx+ i 1) (fx+ at size) line))))))))))))))

(define (run-count statement)
  (let ((count 0))
    (for-each-in-run (lambda (at size line column) (set! count (fx+ count 1))) statement)
    count))

;; Each instruction as a statement of the kind `fixed`, which stands where it does in the run: a vector.
(define (run->statements statement)
  (let ((found '()))
    (for-each-in-run
     (lambda (at size line column)
       (set! found (cons (instruction-of-run statement at size line column) found)))
     statement)
    (list->vector (reverse found))))

(define (instruction-of-run statement at size line column)
  (let ((bytes (subu8vector (statement-operands statement) at (fx+ at size))))
    (make-statement 'fixed (statement-file statement) line column
                    (isa-at bytes 0)
                    bytes '() (statement-section statement) (fx+ at (statement-offset statement)))))

;; How many statements of a source it is.
(define (statement-weight statement)
  (if (eq? (statement-kind statement) 'run) (run-count statement) 1))
