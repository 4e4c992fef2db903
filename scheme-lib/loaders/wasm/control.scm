;; Blocks, branches, calls. What a branch takes along goes to the homes that the operands have at its label.
(module scheme-lib/loaders/wasm/control)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/layout)
(use scheme-lib/loaders/wasm/function)
(use scheme-lib/loaders/wasm/condition)
(declare (standard-bindings) (extended-bindings) (block) (inlining-limit 300))

(define op:jump (opcode 'jump))
(define op:jtab (opcode 'jtab))
(define op:ret (opcode 'ret))
(define op:call (opcode 'call))
(define op:trap (opcode 'trap))
(define op:mov (opcode 'mov))

(define (live? f) (code-live? (function-code f)))
(define (here f) (function-instruction f))

(instruction! #x00
  (lambda (f op)
    (emit! (function-code f) op:trap trap:unreachable)
    (die! f)))
(instruction! #x01 (lambda (f op) #t))

;; ---- operands by types -------------------------------------------------------------------------------

;; Takes operands of these types off; they can be asked for, from the height that remains.
(define (pop-types! f types)
  (do ((i (- (vector-length types) 1) (- i 1))) ((< i 0))
    (pop! f (vector-ref types i))))

(define (push-homes! f types)
  (vector-for-each (lambda (type) (push-new! f type)) types))

;; Checks the topmost operands, which stay. Behind a jump there may be fewer; then they are made, of these types, or,
;; where AS-FOUND? says so, of whatever types they had, which may be none.
(define (check-top! f types #!optional (as-found? #f))
  (let ((frame (car (function-frames f))) (n (vector-length types)))
    (if (frame-dead? frame)
        (let loop ((i (- n 1)) (found '()))
          (if (< i 0)
              (push-homes! f (if as-found? (list->vector found) types))
              (loop (- i 1) (cons (peek-type f (pop! f (vector-ref types i))) found))))
        (let ((from (- (function-height f) n)))
          (if (< from (frame-height frame)) (mismatch f "an operand" "nothing"))
          (do ((i 0 (+ i 1))) ((= i n))
            (if (not (eqv? (vector-ref types i) (peek-type f (+ from i))))
                (mismatch f (type->text (vector-ref types i)) (type->text (peek-type f (+ from i))))))))))

(define (same-height! f frame)
  (if (not (= (function-height f) (frame-height frame)))
      (invalid (here f) "type mismatch: values remain on the stack at the end of the block")))

;; Puts `count` operands from a height on into registers from `register` on, which are not above their homes.
(define (place-all! f from count register)
  (if (live? f)
      (do ((i 0 (+ i 1))) ((= i count))
        (place! f (+ from i) (+ register i)))))

;; The same for results, into r1, r2, ..., where parameters are that other results may be.
(define (place-results! f from count)
  (if (> count 1) (place-all! f from count (home f from)))
  (if (live? f)
      (if (= count 1)
          (place! f from 1)
          (do ((i 0 (+ i 1))) ((= i count))
            (emit! (function-code f) op:mov (+ i 1) (home f (+ from i)))))))

;; ---- frames ------------------------------------------------------------------------------------------

(define (read-block-type! f)
  (let* ((c (function-cursor f)) (at (cursor-at c)) (n (read-s33! c)))
    (cond ((= n -64) (values '#() '#()))
          ((>= n 0)
           (let ((types (module-types (function-module f))))
             (if (>= n (vector-length types)) (invalid at "unknown type " n))
             (values (signature-params (vector-ref types n)) (signature-results (vector-ref types n)))))
          (else
           (cursor-at-set! c at)
           (values '#() (vector (value-type c)))))))

;; How many blocks may lie in each other.
(define deepest 10000)

(define (push-frame! f kind else params results)
  (function-depth-set! f (+ 1 (function-depth f)))
  (if (> (function-depth f) deepest)
      (malformed (here f) "implementation limit: more than " deepest " blocks in each other"))
  (function-frames-set! f
    (cons (make-frame kind (make-label) else params results (function-height f) #f (live? f))
          (function-frames f))))

(define (pop-frame! f)
  (function-depth-set! f (- (function-depth f) 1))
  (function-frames-set! f (cdr (function-frames f))))

;; The function's own frame. Its label is never bound: a branch there returns.
(define (begin-function! f results)
  (push-frame! f 'function #f '#() results))

;; Checks parameters and puts them into their homes, for code may come to a label from two sides.
(define (settle-params! f params)
  (check-top! f params)
  (if (live? f)
      (do ((h (- (function-height f) (vector-length params)) (+ h 1))) ((= h (function-height f)))
        (settle! f h))))

(define (enter! f kind else params results)
  (settle-params! f params)
  (spill-operands! f)
  (pop-types! f params)
  (push-frame! f kind else params results)
  (push-homes! f params))

(instruction! #x02
  (lambda (f op)
    (receive (params results) (read-block-type! f)
      (enter! f 'block #f params results))))

(instruction! #x03
  (lambda (f op)
    (receive (params results) (read-block-type! f)
      (settle-zeros! f)
      (enter! f 'loop #f params results)
      (bind-label! (function-code f) (frame-label (car (function-frames f)))))))

(instruction! #x04
  (lambda (f op)
    (receive (params results) (read-block-type! f)
      (let ((condition (pop! f type:i32)) (else (make-label)))
        (before-last! f condition
          (lambda () (settle-zeros! f) (settle-params! f params) (spill-operands! f)))
        (branch-when! f condition #f else)
        (enter! f 'if else params results)))))

;; The end of an arm: results go to their homes.
(define (end-arm! f frame)
  (pop-types! f (frame-results frame))
  (same-height! f frame)
  (place-all! f (frame-height frame) (vector-length (frame-results frame)) (home f (frame-height frame))))

;; Binds a label to which code may come though it does not come from above.
(define (arrive! f label live?)
  (bind-label! (function-code f) label)
  (if live? (code-live?-set! (function-code f) #t)))

(instruction! #x05
  (lambda (f op)
    (let ((frame (car (function-frames f))))
      (if (not (eq? 'if (frame-kind frame))) (malformed (here f) "END opcode expected: else without if"))
      (end-arm! f frame)
      (branch! (function-code f) op:jump #f #f (frame-label frame))
      (flush! (function-code f))
      (code-live?-set! (function-code f) #f)
      (arrive! f (frame-else frame) (frame-begun-live? frame))
      (function-frames-set! f
        (cons (make-frame 'else (frame-label frame) #f (frame-params frame) (frame-results frame)
                          (frame-height frame) #f (frame-begun-live? frame))
              (cdr (function-frames f))))
      (push-homes! f (frame-params frame)))))

;; Nobody branched here, so the results may stay where they are.
(define (pass-results! f results)
  (vector-for-each
   (lambda (type)
     (let ((height (function-height f)))
       (if (constant? f height)
           (push-constant! f type (constant f height))
           (push-again! f height type))))
   results))

(instruction! #x0b
  (lambda (f op)
    (let* ((frame (car (function-frames f))) (results (frame-results frame)) (label (frame-label frame)))
      (case (frame-kind frame)
        ((function)
         (pop-types! f results)
         (same-height! f frame)
         (return! f results)
         (pop-frame! f))
        ((if else)
         (if (and (eq? 'if (frame-kind frame)) (not (equal? results (frame-params frame))))
             (invalid (here f) "type mismatch: an if without else has to give what it takes"))
         (end-arm! f frame)
         (if (frame-else frame) (arrive! f (frame-else frame) (frame-begun-live? frame)))
         (arrive! f label (label-used? label))
         (pop-frame! f)
         (push-homes! f results))
        (else
         (if (and (eq? 'block (frame-kind frame)) (label-used? label))
             (begin
               (end-arm! f frame)
               (arrive! f label #t)
               (pop-frame! f)
               (push-homes! f results))
             (begin
               (pop-types! f results)
               (same-height! f frame)
               (pop-frame! f)
               (if (live? f) (pass-results! f results) (push-homes! f results)))))))))

;; ---- branches ----------------------------------------------------------------------------------------

(define (target f depth)
  (let loop ((frames (function-frames f)) (n depth))
    (cond ((null? frames) (invalid (here f) "unknown label " depth))
          ((= n 0) (car frames))
          (else (loop (cdr frames) (- n 1))))))

(define (label-types frame)
  (if (eq? 'loop (frame-kind frame)) (frame-params frame) (frame-results frame)))

;; Results were popped.
(define (return! f results)
  (place-results! f (function-height f) (vector-length results))
  (emit! (function-code f) op:ret))

;; Goes to a frame's label with the operands from a height on.
(define (branch-to! f frame from)
  (let ((count (vector-length (label-types frame))))
    (if (eq? 'function (frame-kind frame))
        (begin (place-results! f from count)
               (emit! (function-code f) op:ret))
        (begin (place-all! f from count (home f (frame-height frame)))
               (branch! (function-code f) op:jump #f #f (frame-label frame))))))

(instruction! #x0c
  (lambda (f op)
    (let* ((frame (target f (read-u32! (function-cursor f)))) (types (label-types frame)))
      (settle-zeros! f)
      (pop-types! f types)
      (branch-to! f frame (function-height f))
      (die! f))))

;; Whether operands from a height on are where a frame's label wants them once they are in their homes.
(define (in-place? frame from)
  (and (not (eq? 'function (frame-kind frame)))
       (or (= 0 (vector-length (label-types frame))) (= from (frame-height frame)))))

(instruction! #x0d
  (lambda (f op)
    (let* ((frame (target f (read-u32! (function-cursor f)))) (types (label-types frame))
           (condition (pop! f type:i32)))
      (check-top! f types)
      (let ((from (- (function-height f) (vector-length types))))
        (before-last! f condition
          (lambda ()
            (settle-zeros! f)
            (if (live? f)
                (do ((h from (+ h 1))) ((= h (function-height f)))
                  (settle! f h)))))
        (if (in-place? frame from)
            (branch-when! f condition #t (frame-label frame))
            (let ((on (make-label)))
              (branch-when! f condition #f on)
              (branch-to! f frame from)
              (bind-label! (function-code f) on)))))))

(define (read-targets! f)
  (let* ((c (function-cursor f)) (count (read-u32! c)))
    (if (> count (cursor-left c)) (malformed (cursor-at c) "unexpected end: length out of bounds"))
    (let loop ((i 0) (depths '()))
      (if (> i count) (reverse depths) (loop (+ i 1) (cons (read-u32! c) depths))))))

(instruction! #x0e
  (lambda (f op)
    (let* ((depths (read-targets! f))
           (frames (frames-of f depths))
           (arity (vector-length (label-types (car (reverse frames)))))
           (index (pop! f type:i32)))
      (for-each
       (lambda (frame)
         (if (not (= arity (vector-length (label-types frame))))
             (invalid (here f) "type mismatch: the labels take different numbers of operands"))
         (check-top! f (label-types frame) #t))
       frames)
      (if (live? f) (jump-by-table! f frames index arity))
      (die! f))))

;; The frames of depths; each is looked up once, for a table may be long and blocks deep.
(define (frames-of f depths)
  (let ((found (make-table)))
    (map (lambda (depth)
           (or (table-ref found depth #f)
               (let ((frame (target f depth)))
                 (table-set! found depth frame)
                 frame)))
         depths)))

(define (jump-by-table! f frames index arity)
  (let* ((code (function-code f)) (from (- (function-height f) arity)) (table (make-label)) (stubs '())
         (test (begin (before-last! f index
                        (lambda ()
                          (settle-zeros! f)
                          (do ((h from (+ h 1))) ((= h (function-height f))) (settle! f h))))
                      (register! f index))))
    (define (label-of frame)
      (cond ((in-place? frame from) (frame-label frame))
            ((assq frame stubs) => cdr)
            (else (let ((label (make-label)))
                    (set! stubs (cons (cons frame label) stubs))
                    label))))
    (let* ((labels (map label-of frames)) (default (car (reverse labels))) (count (- (length labels) 1)))
      (branch! code op:jtab test count table)
      (branch! code op:jump #f #f default)
      (bind-label! code table)
      (let ((origin (code-at code)))
        (let loop ((labels labels) (i 0))
          (if (< i count)
              (begin (emit-label-word! code (car labels) origin)
                     (loop (cdr labels) (+ i 1))))))
      (for-each
       (lambda (stub)
         (bind-label! code (cdr stub))
         (branch-to! f (car stub) from))
       stubs))))

(instruction! #x0f
  (lambda (f op)
    (let ((results (signature-results (function-signature f))))
      (pop-types! f results)
      (return! f results)
      (die! f))))

;; ---- calls -------------------------------------------------------------------------------------------

;; Calls what `emit-call` does with the register where the window begins. The arguments were popped. Where nothing is
;; in the home below them, the window begins there and they stay; else they move up by one.
(define (call! f signature emit-call)
  (let* ((code (function-code f)) (params (signature-params signature)) (results (signature-results signature))
         (from (function-height f)) (count (vector-length params))
         (free? (or (= from 0) (not (= (home f (- from 1)) (register-at f (- from 1))))))
         (window (if free? (home f (- from 1)) (home f from))))
    (if (live? f)
        (do ((i (- count 1) (- i 1))) ((< i 0))
          (place! f (+ from i) (+ window 1 i))))
    (emit-call window)
    (vector-for-each
     (lambda (type)
       (let* ((to (push-new! f type)) (came (+ window 1 (- (function-height f) 1 from))))
         (if (not (= to came)) (emit! code op:mov to came))))
     results)))

(define (function-signature-at f index)
  (let ((functions (module-functions (function-module f))))
    (if (>= index (vector-length functions)) (invalid (here f) "unknown function " index))
    (vector-ref functions index)))

(instruction! #x10
  (lambda (f op)
    (let* ((index (read-u32! (function-cursor f))) (signature (function-signature-at f index))
           (label (vector-ref (layout-functions (function-layout f)) index)))
      (pop-types! f (signature-params signature))
      (call! f signature
        (lambda (window) (branch! (function-code f) op:call window #f label))))))

(define op:callr (opcode 'callr))
(define op:shli (opcode 'shli))
(define op:ldu64 (opcode 'ldu64))
(define op:ldu32 (opcode 'ldu32))
(define op:bge_u (opcode 'bge_u))
(define op:bgei_u (opcode 'bgei_u))
(define op:bnei (opcode 'bnei))

;; The address of the function comes into a register above all arguments. Reading its type below address 0 traps
;; where there is no function.
(define (find-function! f index table id to)
  (let ((code (function-code f)) (layout (function-layout f)) (test (register! f index))
        (limits (table-type-limits (vector-ref (module-tables (function-module f)) table))))
    (if (and (own-table? layout table) (= (limits-least limits) (table-capacity layout table)))
        (branch! code op:bgei_u test (zigzag (limits-least limits)) (trap-label! f trap:undefined))
        (begin
          (emit! code op:ldu64 to 0 (zigzag (table-size-address (function-layout f) table)))
          (branch! code op:bge_u test to (trap-label! f trap:undefined))))
    (emit! code op:shli to test 3)
    (emit! code op:ldu64 to to (zigzag (table-address layout table)))
    (emit! code op:ldu32 (+ to 1) to (zigzag -4))
    (branch! code op:bnei (+ to 1) (zigzag id) (trap-label! f trap:mismatch))))

(instruction! #x11
  (lambda (f op)
    (let* ((c (function-cursor f)) (type (read-u32! c)) (table (read-u32! c)) (m (function-module f)))
      (if (>= table (vector-length (module-tables m))) (invalid (here f) "unknown table " table))
      (if (>= type (vector-length (module-types m))) (invalid (here f) "unknown type " type))
      (if (not (eqv? type:funcref (table-type-element (vector-ref (module-tables m) table))))
          (invalid (here f) "type mismatch: the table does not hold functions"))
      (let* ((signature (vector-ref (module-types m) type)) (index (pop! f type:i32)) (to (home f (+ 1 index))))
        (if (live? f) (find-function! f index table (signature-id signature) to))
        (pop-types! f (signature-params signature))
        (call! f signature
          (lambda (window) (emit! (function-code f) op:callr window to)))))))
