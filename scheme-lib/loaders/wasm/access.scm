;; Loads, stores, the memory's size, and the instructions for blocks of it.
(module scheme-lib/loaders/wasm/access)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/layout)
(use scheme-lib/loaders/wasm/function)
(declare (standard-bindings) (extended-bindings) (block) (inlining-limit 300))

(define (need-memory f)
  (if (= 0 (vector-length (module-memories (function-module f))))
      (invalid (function-instruction f) "unknown memory 0")))

;; The offset of an access, from where the memory begins.
(define (read-offset! f size)
  (let* ((c (function-cursor f)) (at (cursor-at c)) (alignment (read-u32! c)) (offset (read-u32! c)))
    (need-memory f)
    (if (or (> alignment 3) (> (expt 2 alignment) size)) (invalid at "alignment must not be larger than natural"))
    (+ offset (layout-memory (function-layout f)))))

;; A register and an offset for an address: a constant one is part of the offset.
(define (base f height) (if (constant? f height) 0 (register! f height)))
(define (whole-offset f height offset) (zigzag (if (constant? f height) (+ offset (constant f height)) offset)))

(define (load! wasm type op size #!optional extend)
  (let ((op (opcode op)) (extend (and extend (opcode extend))))
    (instruction! wasm
      (lambda (f wasm)
        (let* ((offset (read-offset! f size)) (address (pop! f type:i32))
               (from (base f address)) (offset (whole-offset f address offset))
               (result (push-new! f type)))
          (emit! (function-code f) op result from offset)
          (if extend (emit! (function-code f) extend result result)))))))

(define (store! wasm type op size)
  (let ((op (opcode op)))
    (instruction! wasm
      (lambda (f wasm)
        (let* ((offset (read-offset! f size)) (value (pop! f type)) (address (pop! f type:i32))
               (register (register! f value)))
          (emit! (function-code f) op (base f address) register (whole-offset f address offset)))))))

(load! #x28 type:i32 'ldu32 4)
(load! #x29 type:i64 'ldu64 8)
(load! #x2a type:f32 'ldu32 4)
(load! #x2b type:f64 'ldu64 8)
(load! #x2c type:i32 'lds8 1 'zext32)
(load! #x2d type:i32 'ldu8 1)
(load! #x2e type:i32 'lds16 2 'zext32)
(load! #x2f type:i32 'ldu16 2)
(load! #x30 type:i64 'lds8 1)
(load! #x31 type:i64 'ldu8 1)
(load! #x32 type:i64 'lds16 2)
(load! #x33 type:i64 'ldu16 2)
(load! #x34 type:i64 'lds32 4)
(load! #x35 type:i64 'ldu32 4)
(store! #x36 type:i32 'st32 4)
(store! #x37 type:i64 'st64 8)
(store! #x38 type:f32 'st32 4)
(store! #x39 type:f64 'st64 8)
(store! #x3a type:i32 'st8 1)
(store! #x3b type:i32 'st16 2)
(store! #x3c type:i64 'st8 1)
(store! #x3d type:i64 'st16 2)
(store! #x3e type:i64 'st32 4)

;; ---- size and growth ---------------------------------------------------------------------------------

(define op:ldu64 (opcode 'ldu64))
(define op:st64 (opcode 'st64))
(define op:add (opcode 'add))
(define op:addi (opcode 'addi))
(define op:mov (opcode 'mov))
(define op:shli (opcode 'shli))
(define op:call (opcode 'call))
(define op:bcopy (opcode 'bcopy))
(define op:bfill (opcode 'bfill))
(define op:blt_u (opcode 'blt_u))

(instruction! #x3f
  (lambda (f op)
    (read-zero! (function-cursor f))
    (need-memory f)
    (emit! (function-code f) op:ldu64 (push-new! f type:i32) 0 (zigzag (memory-size-address (function-layout f))))))

;; The window of the routine begins below its argument.
(instruction! #x40
  (lambda (f op)
    (read-zero! (function-cursor f))
    (need-memory f)
    (let* ((code (function-code f)) (pages (pop! f type:i32)) (window (home f pages)))
      (place! f pages (+ window 1))
      (branch! code op:call window #f (layout-grow (function-layout f)))
      (emit! code op:mov (push-new! f type:i32) (+ window 1)))))

;; The routine: pages to add in r1; the size before, or -1, in r1.
(define (grow-routine layout)
  `((ldu64 2 0 ,(memory-size-address layout))
    (beqi 1 0 none)
    (add 3 1 2)
    (bgei_u 3 ,(+ 1 (layout-memory-limit layout)) refuse)
    (shli 5 2 16)
    (addi 5 5 ,(layout-memory layout))
    (shli 6 1 16)
    (hcall 4 "map")
    (bnei 5 0 refuse)
    (st64 0 3 ,(memory-size-address layout))
    none
    (mov 1 2)
    (ret)
    refuse
    (imm 1 #xffffffff)
    (ret)))

;; ---- blocks ------------------------------------------------------------------------------------------

;; Traps with CODE unless start + length is at most the number of bytes in register `size`. `spare` is changed.
(define (check-range! f start length size spare code)
  (emit! (function-code f) op:add spare start length)
  (branch! (function-code f) op:blt_u size spare (trap-label! f code)))

;; The number of bytes in memory.
(define (emit-memory-size! f register)
  (emit! (function-code f) op:ldu64 register 0 (zigzag (memory-size-address (function-layout f))))
  (emit! (function-code f) op:shli register register 16))

(define (known-segment f index)
  (let ((m (function-module f)))
    (if (not (module-data-count m)) (malformed (function-instruction f) "data count section required"))
    (if (>= index (module-data-count m)) (invalid (function-instruction f) "unknown data segment " index))
    (segment-address (function-layout f) index)))

;; Three operands, and four registers behind them.
(define (pop-block! f)
  (let* ((length (pop! f type:i32)) (second (pop! f type:i32)) (first (pop! f type:i32)))
    (let* ((n (register! f length)) (b (register! f second)) (a (register! f first)))
      (vector a b n (+ 1 (home f length))))))

(define (in-memory! f to register)
  (emit! (function-code f) op:addi to register (zigzag (layout-memory (function-layout f)))))

;; memory.init
(instruction! 264
  (lambda (f op)
    (let ((index (read-u32! (function-cursor f))))
      (read-zero! (function-cursor f))
      (need-memory f)
      (let* ((place (known-segment f index)) (block (pop-block! f)) (code (function-code f))
             (a (vector-ref block 0)) (b (vector-ref block 1)) (n (vector-ref block 2)) (spare (vector-ref block 3)))
        (emit! code op:ldu64 spare 0 (zigzag (+ 8 place)))
        (check-range! f b n spare (+ spare 1) trap:memory)
        (emit-memory-size! f spare)
        (check-range! f a n spare (+ spare 1) trap:memory)
        (emit! code op:ldu64 spare 0 (zigzag place))
        (emit! code op:add spare spare b)
        (in-memory! f (+ spare 1) a)
        (emit! code op:bcopy (+ spare 1) spare n)))))

;; data.drop
(instruction! 265
  (lambda (f op)
    (emit! (function-code f) op:st64 0 0 (zigzag (+ 8 (known-segment f (read-u32! (function-cursor f))))))))

;; memory.copy
(instruction! 266
  (lambda (f op)
    (read-zero! (function-cursor f))
    (read-zero! (function-cursor f))
    (need-memory f)
    (let* ((block (pop-block! f))
           (a (vector-ref block 0)) (b (vector-ref block 1)) (n (vector-ref block 2)) (spare (vector-ref block 3)))
      (emit-memory-size! f spare)
      (check-range! f b n spare (+ spare 1) trap:memory)
      (check-range! f a n spare (+ spare 1) trap:memory)
      (in-memory! f spare a)
      (in-memory! f (+ spare 1) b)
      (emit! (function-code f) op:bcopy spare (+ spare 1) n))))

;; memory.fill
(instruction! 267
  (lambda (f op)
    (read-zero! (function-cursor f))
    (need-memory f)
    (let* ((block (pop-block! f))
           (a (vector-ref block 0)) (b (vector-ref block 1)) (n (vector-ref block 2)) (spare (vector-ref block 3)))
      (emit-memory-size! f spare)
      (check-range! f a n spare (+ spare 1) trap:memory)
      (in-memory! f spare a)
      (emit! (function-code f) op:bfill spare b n))))
