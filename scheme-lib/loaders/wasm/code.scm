;; A buffer of Comet instructions, of at most 128 MiB. The last instruction stays open until the next one comes: its
;; destination can be changed, and a comparison can become the branch that follows it. Nothing is emitted while the
;; code is not live, that is behind a jump.
;;
;;   (define code (make-code #x10000 #x10000))
;;   (emit! code (opcode 'add) 1 2 3)
;;   (branch! code (opcode 'jump) '#() label)
;;
;; Fields are as encoded: signed ones go through zigzag. References to labels take four bytes, so that they can
;; be filled in later; how long an instruction is does not matter to its speed.
(module scheme-lib/loaders/wasm/code)
(use scheme-lib/util)
(use scheme-lib/fields)
(use scheme-lib/leb128)
(use vm-ext/gambit/vm)
(use scheme-lib/loaders/wasm/errors)
(declare (standard-bindings) (extended-bindings) (block) (inlining-limit 300))

;; Fields, see the header. base: the address of the first byte; limit: how many there may be. op: of the open instruction, or #f; a, b, c: its
;; fields, #f for none. line: of what is emitted now, any object; lines: (offset . line) where it changed, the last
;; first
(define (make-code base limit)
  (vector base limit (make-u8vector 4096) 0 #t #f #f #f #f #f '()))

(define opcodes (make-table test: eq?))
(define results (make-vector 1024 #f))   ; opcode -> whether its first field is a register that it only writes
(vector-for-each
 (lambda (entry)
   (table-set! opcodes (vector-ref entry 0) (vector-ref entry 1))
   (vector-set! results (vector-ref entry 1) (string-prefix? "d" (vector-ref entry 2))))
 (vm-isa))

(define (opcode name) (table-ref opcodes name))

;; ---- bytes -------------------------------------------------------------------------------------------

(define longest-instruction 40)

(define (ensure! code count)
  (let* ((bytes (code-bytes code)) (needed (+ (code-length code) count)))
    (if (> needed (code-limit code)) (malformed 0 "implementation limit: the code is too large"))
    (if (> needed (u8vector-length bytes))
        (let ((more (make-u8vector (max needed (* 2 (u8vector-length bytes))))))
          (subu8vector-move! bytes 0 (code-length code) more 0)
          (code-bytes-set! code more)))))

;; Writes a field and gives the offset behind it.
(define (put-field! bytes at value) (uleb128-put! bytes at value 1))

;; Ends the open instruction.
(define (flush! code)
  (let ((op (code-op code)))
    (if op
        (begin
          (ensure! code longest-instruction)
          (let* ((bytes (code-bytes code))
                 (at (put-field! bytes (code-length code) op))
                 (at (if (code-a code) (put-field! bytes at (code-a code)) at))
                 (at (if (code-b code) (put-field! bytes at (code-b code)) at))
                 (at (if (code-c code) (put-field! bytes at (code-c code)) at)))
            (code-length-set! code at)
            (code-op-set! code #f))))))

;; How many bytes there are.
(define (code-at code)
  (flush! code)
  (code-length code))

(define (emit! code op #!optional a b c)
  (if (code-live? code)
      (begin
        (flush! code)
        (note-line! code)
        (code-op-set! code op)
        (code-a-set! code a)
        (code-b-set! code b)
        (code-c-set! code c))))

;; Notes that an instruction begins here.
(define (note-line! code)
  (let ((line (code-line code)) (lines (code-lines code)) (at (code-length code)))
    (if line
        (let ((lines (if (and (pair? lines) (= at (caar lines))) (cdr lines) lines)))
          (code-lines-set! code (if (and (pair? lines) (eq? line (cdar lines))) lines (cons (cons at line) lines)))))))

(define op:imm (opcode 'imm))
(define op:simm (opcode 'simm))
(define lowest (expt 2 63))

(define (emit-constant! code register value)
  (if (< value lowest)
      (emit! code op:imm register value)
      (emit! code op:simm register (- (* 2 lowest) value))))

(define (emit-bytes! code bytes)
  (flush! code)
  (ensure! code (u8vector-length bytes))
  (subu8vector-move! bytes 0 (u8vector-length bytes) (code-bytes code) (code-length code))
  (code-length-set! code (+ (code-length code) (u8vector-length bytes))))

;; ---- the open instruction ----------------------------------------------------------------------------

;; Whether the open instruction's result is what `register` gets.
(define (last-writes? code register)
  (let ((op (code-op code)))
    (and op (eqv? (code-a code) register) (vector-ref results op))))

(define (retarget! code register) (code-a-set! code register))

;; Takes the open instruction back; its fields can be asked for until the next one.
(define (take-pending! code)
  (let ((op (code-op code)))
    (code-op-set! code #f)
    op))

;; ---- labels ------------------------------------------------------------------------------------------

;; offset: in the code, once bound; uses: #(kind site origin) where it is to be filled in: a `branch` counts from
;; the instruction at origin, a `word` (32 bits) from the table at origin, an `address` is the address itself
(define-type label
  constructor: construct-label
  offset uses)

(define (make-label) (construct-label #f '()))
(define (label-bound? label) (and (label-offset label) #t))
(define (label-used? label) (pair? (label-uses label)))
(define (label-address code label) (+ (code-base code) (label-offset label)))

;; How many bytes the address of a label takes.
(define (address-length code)
  (if (< (+ (code-base code) (code-limit code)) (expt 2 35)) 5 9))

(define (fill! code label use)
  (let ((bytes (code-bytes code)) (site (vector-ref use 1)) (distance (- (label-offset label) (vector-ref use 2))))
    (define (put-wide! value count) (uleb128-put! bytes site value count))
    (case (vector-ref use 0)
      ((branch) (put-wide! (zigzag distance) 4))
      ((address) (put-wide! (label-address code label) (address-length code)))
      (else (u8vector-set-le! bytes site 4 (bitwise-and distance #xffffffff))))))

(define (reference! code label kind length origin)
  (ensure! code length)
  (let ((use (vector kind (code-length code) origin)))
    (code-length-set! code (+ (code-length code) length))
    (label-uses-set! label (cons use (if (label-bound? label) '() (label-uses label))))
    (if (label-bound? label) (fill! code label use))))

(define (bind-label! code label)
  (flush! code)
  (label-offset-set! label (code-length code))
  (for-each (lambda (use) (fill! code label use)) (label-uses label)))

;; An instruction whose last field leads to a label; a and b are the fields before, #f for none.
(define (branch! code op a b label)
  (if (code-live? code)
      (begin
        (flush! code)
        (note-line! code)
        (let ((origin (code-length code)))
          (ensure! code longest-instruction)
          (let* ((bytes (code-bytes code))
                 (at (put-field! bytes origin op))
                 (at (if a (put-field! bytes at a) at))
                 (at (if b (put-field! bytes at b) at)))
            (code-length-set! code at)
            (reference! code label 'branch 4 origin))))))

;; 32 bits: how far a label is from the table at offset `origin`.
(define (emit-label-word! code label origin)
  (reference! code label 'word 4 origin))

;; R[register] := the address of a label
(define (emit-label-address! code register label)
  (if (code-live? code)
      (begin
        (flush! code)
        (ensure! code longest-instruction)
        (let ((bytes (code-bytes code)))
          (code-length-set! code (put-field! bytes (put-field! bytes (code-length code) op:imm) register)))
        (reference! code label 'address (address-length code) 0))))
