;; A body is compiled in one pass that also checks it. Each operand on WebAssembly's stack has a type and a place:
;; a constant, a local that nothing was done to yet, or a register. So constants and locals are not copied before
;; they are needed, and mostly not at all.
;;
;; Registers of a function's window:
;;
;;   r0   r1 ... rN          rN+1          rN+2 ...
;;   0    locals             free          home of the operand at height 0, 1, ...
;;
;; The free one is where the callee's window begins when nothing lies below its arguments.
;;
;; A local that is not a parameter begins as zero. Until the code first branches, who reads it gets the constant;
;; those not set by then are set (`settle-zeros!`).
(module scheme-lib/loaders/wasm/function)
(use scheme-lib/util)
(use scheme-lib/fields)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(declare (standard-bindings) (extended-bindings) (block) (inlining-limit 300))

;; Fields of a function, see the header. instruction: offset of the one being compiled. types, registers, constants: by height; register -1: a constant.
;; waiting: for each local how many operands are this local; zero: for each local whether it is zero yet to be set,
;; and zeros how many are. depth: how many frames; traps: code -> label behind the body where it traps

;; kind: block, loop, if, else or function. label: where a branch to it leads; else: the label of the other arm.
;; dead?: what follows cannot be reached. begun-live?: its beginning can be
(define-type frame kind label else params results height dead? begun-live?)

(define initial-room 64)

(define (make-function layout module code cursor signature local-types)
  (let* ((count (vector-length local-types))
         (params (vector-length (signature-params signature)))
         (zero (make-vector (+ count 1) #f)))
    (do ((i (+ params 1) (+ i 1))) ((> i count))
      (vector-set! zero i #t))
    (vector layout module code cursor signature local-types
            0 (make-vector initial-room #f) (make-vector initial-room 0) (make-vector initial-room 0)
            0 (make-vector (+ count 1) 0) zero (- count params) '() 0 '())))

;; ---- instructions ------------------------------------------------------------------------------------

;; opcode -> procedure of the function and the opcode. Behind the prefix 0xfc, opcodes are 256 and more.
(define handlers (make-vector 512 #f))
(define (instruction! opcode handler) (vector-set! handlers opcode handler))

(define (mismatch f expected found)
  (invalid (function-instruction f) "type mismatch: expected " expected ", found " found))

;; ---- the stack ---------------------------------------------------------------------------------------

(define (local-count f) (vector-length (function-local-types f)))

(define (local-type f index)
  (if (>= index (local-count f)) (invalid (function-instruction f) "unknown local " index))
  (vector-ref (function-local-types f) index))

(define (home f height) (+ (local-count f) 2 height))

(define (more vector fill)
  (let ((new (make-vector (* 2 (vector-length vector)) fill)))
    (subvector-move! vector 0 (vector-length vector) new 0)
    new))

(define (grow! f)
  (function-types-set! f (more (function-types f) #f))
  (function-registers-set! f (more (function-registers f) 0))
  (function-constants-set! f (more (function-constants f) 0)))

;; How far below the top an operand may still be a local, so that looking for these is cheap.
(define window 32)

(define (push! f type register constant)
  (let ((height (function-height f)))
    (if (= height (vector-length (function-types f))) (grow! f))
    (if (>= height window) (spill! f (- height window)))
    (vector-set! (function-types f) height type)
    (vector-set! (function-registers f) height register)
    (vector-set! (function-constants f) height constant)
    (function-height-set! f (+ height 1))))

(define (push-register! f type register) (push! f type register 0))

;; Pushes an operand in its home, and gives that register.
(define (push-new! f type)
  (let ((register (home f (function-height f))))
    (push! f type register 0)
    register))

(define (push-constant! f type value) (push! f type -1 value))

(define (local? f register) (<= 1 register (local-count f)))

(define (push-local! f index)
  (let ((type (local-type f index)) (register (+ index 1)))
    (if (vector-ref (function-zero f) register)
        (push-constant! f type 0)
        (begin
          (push-register! f type register)
          (vector-set! (function-waiting f) register (+ 1 (vector-ref (function-waiting f) register)))))))

;; Pushes what was popped from a height, at that height, as another type.
(define (push-again! f height type)
  (let ((register (vector-ref (function-registers f) height)))
    (if (local? f register)
        (begin (push-local! f (- register 1))
               (retype! f (- (function-height f) 1) type))
        (push-new! f type))))

(define (underflow f expected)
  (let ((frame (car (function-frames f))))
    (if (not (frame-dead? frame)) (mismatch f expected "nothing"))
    ;; Behind a jump the stack has whatever is asked for.
    (let ((height (function-height f)))
      (if (= height (vector-length (function-types f))) (grow! f))
      (vector-set! (function-types f) height #f)
      (vector-set! (function-registers f) height 0)
      height)))

;; Takes an operand of any type off the stack and gives its height, by which it can be asked for until the next push.
(define (pop-any! f)
  (let ((height (- (function-height f) 1)))
    (if (< height (frame-height (car (function-frames f))))
        (underflow f "an operand")
        (begin (release! f height)
               (function-height-set! f height)
               height))))

(define (pop! f type)
  (let* ((height (pop-any! f)) (found (vector-ref (function-types f) height)))
    (if (not (or (eqv? found type) (not found) (not type)))
        (mismatch f (type->text type) (type->text found)))
    height))

(define (release! f height)
  (let ((register (vector-ref (function-registers f) height)))
    (if (local? f register)
        (vector-set! (function-waiting f) register (- (vector-ref (function-waiting f) register) 1)))))

(define (peek-type f height) (vector-ref (function-types f) height))
(define (retype! f height type) (vector-set! (function-types f) height type))

;; Forgets what is above a height.
(define (truncate! f height)
  (let loop ()
    (if (> (function-height f) height)
        (begin (release! f (- (function-height f) 1))
               (function-height-set! f (- (function-height f) 1))
               (loop)))))

;; Where an operand is: a register, -1 for a constant.
(define (register-at f height) (vector-ref (function-registers f) height))

;; ---- where operands are ------------------------------------------------------------------------------

(define (constant? f height) (= -1 (vector-ref (function-registers f) height)))
(define (constant f height) (vector-ref (function-constants f) height))

(define op:mov (opcode 'mov))

;; The register that holds an operand; a constant is put into its home.
(define (register! f height)
  (let ((register (vector-ref (function-registers f) height)))
    (cond ((>= register 0) register)
          ((eqv? 0 (constant f height)) 0)
          (else (emit-constant! (function-code f) (home f height) (constant f height))
                (home f height)))))

;; Puts an operand into a register.
(define (place! f height register)
  (let ((code (function-code f)) (from (vector-ref (function-registers f) height)))
    (cond ((= from register))
          ((= from -1) (emit-constant! code register (constant f height)))
          ((and (= from (home f height)) (last-writes? code from)) (retarget! code register))
          (else (emit! code op:mov register from)))))

;; Puts an operand that is still on the stack into its home.
(define (settle! f height)
  (let ((register (home f height)))
    (place! f height register)
    (if (< height (function-height f)) (release! f height))
    (vector-set! (function-registers f) height register)))

(define (spill! f height)
  (if (local? f (vector-ref (function-registers f) height)) (settle! f height)))

;; Puts all operands that are locals into their homes, `below` of them not looked at.
(define (spill-operands! f)
  (let ((height (function-height f)))
    (do ((i (max 0 (- height window 1)) (+ i 1))) ((= i height))
      (spill! f i))))

;; Sets the locals that are to be zero.
(define (settle-zeros! f)
  (if (> (function-zeros f) 0)
      (let ((zero (function-zero f)))
        (do ((i 1 (+ i 1))) ((= i (vector-length zero)))
          (if (vector-ref zero i)
              (begin (vector-set! zero i #f)
                     (emit-constant! (function-code f) i 0))))
        (function-zeros-set! f 0))))

;; Calls the thunk, whose code goes before the open instruction if that made the operand which was popped from a
;; height: it reads no home that is in use. So it stays open.
(define (before-last! f height thunk)
  (let ((code (function-code f)))
    (if (and (= (home f height) (vector-ref (function-registers f) height)) (last-writes? code (home f height)))
        (let* ((op (take-pending! code)) (a (code-a code)) (b (code-b code)) (c (code-c code)))
          (thunk)
          (emit! code op a b c))
        (thunk))))

;; Before a local changes, who still waits for its value gets a copy.
(define (copy-waiting! f register)
  (let loop ((height (- (function-height f) 1)))
    (if (> (vector-ref (function-waiting f) register) 0)
        (begin
          (if (= register (vector-ref (function-registers f) height)) (settle! f height))
          (loop (- height 1))))))

;; local := the operand at a height, which was popped
(define (set-local! f index height)
  (let ((register (+ index 1)))
    (if (> (vector-ref (function-waiting f) register) 0)
        (before-last! f height (lambda () (copy-waiting! f register))))
    (if (vector-ref (function-zero f) register)
        (begin (vector-set! (function-zero f) register #f)
               (function-zeros-set! f (- (function-zeros f) 1))))
    (place! f height register)))

(define (tee-local! f index height)
  (let ((type (vector-ref (function-types f) height)))
    (set-local! f index height)
    (push-local! f index)
    (retype! f (- (function-height f) 1) (or type (local-type f index)))))

;; The label behind the body where the code traps.
(define (trap-label! f code)
  (let ((found (assv code (function-traps f))))
    (if found
        (cdr found)
        (let ((label (make-label)))
          (function-traps-set! f (cons (cons code label) (function-traps f)))
          label))))

;; What follows cannot be reached.
(define (die! f)
  (let ((frame (car (function-frames f))))
    (truncate! f (frame-height frame))
    (frame-dead?-set! frame #t)
    (flush! (function-code f))
    (code-live?-set! (function-code f) #f)))
