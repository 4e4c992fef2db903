;; Constants, arithmetic, comparison and conversion. An i32 stands in its register zero-extended, an f32 as its bits,
;; zero-extended too: 32-bit instructions give that by themselves, and conversions to 64 bits mostly vanish.
(module scheme-lib/loaders/wasm/numeric)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/function)
(use scheme-lib/loaders/wasm/condition)
(declare (standard-bindings) (extended-bindings) (block) (inlining-limit 300))

(define (width type) (if (or (eqv? type type:i32) (eqv? type type:f32)) 32 64))

(define (signed-bits bits width)
  (if (bit-set? (- width 1) bits) (- bits (arithmetic-shift 1 width)) bits))

;; ---- constants ---------------------------------------------------------------------------------------

(instruction! #x41
  (lambda (f op) (push-constant! f type:i32 (bitwise-and (read-s32! (function-cursor f)) #xffffffff))))
(instruction! #x42 (lambda (f op) (push-constant! f type:i64 (u64 (read-s64! (function-cursor f))))))
(instruction! #x43 (lambda (f op) (push-constant! f type:f32 (read-bits! (function-cursor f) 4))))
(instruction! #x44 (lambda (f op) (push-constant! f type:f64 (read-bits! (function-cursor f) 8))))

;; ---- one operand -------------------------------------------------------------------------------------

;; The instruction OP, and then EXTEND where the result has to be made narrow.
(define (unary! wasm from to op #!optional extend)
  (let ((op (opcode op)) (extend (and extend (opcode extend))))
    (instruction! wasm
      (lambda (f wasm)
        (let* ((register (register! f (pop! f from))) (result (push-new! f to)))
          (emit! (function-code f) op result register)
          (if extend (emit! (function-code f) extend result result)))))))

;; Only the type changes.
(define (retype-instruction! wasm from to)
  (instruction! wasm
    (lambda (f wasm)
      (let ((height (pop! f from)))
        (if (constant? f height)
            (push-constant! f to (constant f height))
            (push-again! f height to))))))

(define op:eqi (opcode 'eqi))

(define (zero-test! wasm type)
  (instruction! wasm
    (lambda (f wasm)
      (let* ((height (pop! f type)) (register (register! f height)) (code (function-code f)))
        (if (and (= register (home f height)) (invert-last! code register))
            (push-new! f type:i32)
            (emit! code op:eqi (push-new! f type:i32) register (zigzag 0)))))))

(define (unaries! wasm from to . ops)
  (for-each (lambda (wasm op) (unary! wasm from to op)) (iota (length ops) wasm) ops))

(zero-test! #x45 type:i32)
(zero-test! #x50 type:i64)
(unaries! #x67 type:i32 type:i32 'clz32 'ctz32 'popcnt32)
(unaries! #x79 type:i64 type:i64 'clz 'ctz 'popcnt)
(unaries! #x8b type:f32 type:f32 'fabs32 'fneg32 'fceil32 'ffloor32 'ftrunc32 'fnearest32 'fsqrt32)
(unaries! #x99 type:f64 type:f64 'fabs 'fneg 'fceil 'ffloor 'ftrunc 'fnearest 'fsqrt)
(unary! #xa7 type:i64 type:i32 'zext32)
(unaries! #xa8 type:f32 type:i32 'cvt_s32_f32 'cvt_u32_f32)
(unaries! #xaa type:f64 type:i32 'cvt_s32_f64 'cvt_u32_f64)
(unary! #xac type:i32 type:i64 'sext32)
(retype-instruction! #xad type:i32 type:i64)
(unaries! #xae type:f32 type:i64 'cvt_s64_f32 'cvt_u64_f32)
(unaries! #xb0 type:f64 type:i64 'cvt_s64_f64 'cvt_u64_f64)
(unaries! #xb2 type:i32 type:f32 'cvt_f32_s32 'cvt_f32_u32)
(unaries! #xb4 type:i64 type:f32 'cvt_f32_s64 'cvt_f32_u64)
(unary! #xb6 type:f64 type:f32 'cvt_f32_f64)
(unaries! #xb7 type:i32 type:f64 'cvt_f64_s32 'cvt_f64_u32)
(unaries! #xb9 type:i64 type:f64 'cvt_f64_s64 'cvt_f64_u64)
(unary! #xbb type:f32 type:f64 'cvt_f64_f32)
(retype-instruction! #xbc type:f32 type:i32)
(retype-instruction! #xbd type:f64 type:i64)
(retype-instruction! #xbe type:i32 type:f32)
(retype-instruction! #xbf type:i64 type:f64)
(unary! #xc0 type:i32 type:i32 'sext8 'zext32)
(unary! #xc1 type:i32 type:i32 'sext16 'zext32)
(unaries! #xc2 type:i64 type:i64 'sext8 'sext16 'sext32)
(unaries! 256 type:f32 type:i32 'cvt_s32_f32_sat 'cvt_u32_f32_sat)
(unaries! 258 type:f64 type:i32 'cvt_s32_f64_sat 'cvt_u32_f64_sat)
(unaries! 260 type:f32 type:i64 'cvt_s64_f32_sat 'cvt_u64_f32_sat)
(unaries! 262 type:f64 type:i64 'cvt_s64_f64_sat 'cvt_u64_f64_sat)

;; ---- two operands ------------------------------------------------------------------------------------

;; IMMEDIATE is the instruction that takes a constant on the right, as FIELD makes it of its bits.
(define (binary! wasm type op #!key (immediate #f) (field #f) (commutes #f) (result type) (swapped #f))
  (let ((op (opcode op)) (immediate (and immediate (opcode immediate))))
    (define (with-constant f register height)
      (let ((field (field (constant f height))))
        (emit! (function-code f) immediate (push-new! f result) register field)))
    (instruction! wasm
      (lambda (f wasm)
        (let* ((right (pop! f type)) (left (pop! f type)))
          (cond ((and immediate (constant? f right)) (with-constant f (register! f left) right))
                ((and immediate commutes (constant? f left)) (with-constant f (register! f right) left))
                (else
                 (let* ((a (register! f left)) (b (register! f right)) (to (push-new! f result)))
                   (if swapped
                       (emit! (function-code f) op to b a)
                       (emit! (function-code f) op to a b))))))))))

(define (signed-field width) (lambda (bits) (zigzag (signed-bits bits width))))
(define (negated-field width)
  (lambda (bits) (zigzag (signed-bits (bitwise-and (- bits) (- (expt 2 width) 1)) width))))
(define (count-field width) (lambda (bits) (modulo bits width)))
(define (plain-field bits) (zigzag bits))
(define (left-count-field width) (lambda (bits) (modulo (- bits) width)))

(binary! #x6a type:i32 'add32 immediate: 'addi32 field: (signed-field 32) commutes: #t)
(binary! #x6b type:i32 'sub32 immediate: 'addi32 field: (negated-field 32))
(binary! #x6c type:i32 'mul32)
(binary! #x6d type:i32 'div32_s)
(binary! #x6e type:i32 'div32_u)
(binary! #x6f type:i32 'rem32_s)
(binary! #x70 type:i32 'rem32_u)
(binary! #x71 type:i32 'and immediate: 'andi field: (signed-field 32) commutes: #t)
(binary! #x72 type:i32 'or immediate: 'ori field: plain-field commutes: #t)
(binary! #x73 type:i32 'xor immediate: 'xori field: plain-field commutes: #t)
(binary! #x74 type:i32 'shl32 immediate: 'shli32 field: (count-field 32))
(binary! #x75 type:i32 'shr32_s immediate: 'shri32_s field: (count-field 32))
(binary! #x76 type:i32 'shr32_u immediate: 'shri32_u field: (count-field 32))
(binary! #x77 type:i32 'rotl32 immediate: 'rotli32 field: (count-field 32))
(binary! #x78 type:i32 'rotr32 immediate: 'rotli32 field: (left-count-field 32))

(binary! #x7c type:i64 'add immediate: 'addi field: (signed-field 64) commutes: #t)
(binary! #x7d type:i64 'sub immediate: 'addi field: (negated-field 64))
(binary! #x7e type:i64 'mul immediate: 'muli field: (signed-field 64) commutes: #t)
(binary! #x7f type:i64 'div_s)
(binary! #x80 type:i64 'div_u)
(binary! #x81 type:i64 'rem_s)
(binary! #x82 type:i64 'rem_u)
(binary! #x83 type:i64 'and immediate: 'andi field: (signed-field 64) commutes: #t)
(binary! #x84 type:i64 'or immediate: 'ori field: (signed-field 64) commutes: #t)
(binary! #x85 type:i64 'xor immediate: 'xori field: (signed-field 64) commutes: #t)
(binary! #x86 type:i64 'shl immediate: 'shli field: (count-field 64))
(binary! #x87 type:i64 'shr_s immediate: 'shri_s field: (count-field 64))
(binary! #x88 type:i64 'shr_u immediate: 'shri_u field: (count-field 64))
(binary! #x89 type:i64 'rotl immediate: 'rotli field: (count-field 64))
(binary! #x8a type:i64 'rotr immediate: 'rotli field: (left-count-field 64))

(define (binaries! wasm type . ops)
  (for-each (lambda (wasm op) (binary! wasm type op)) (iota (length ops) wasm) ops))

(binaries! #x92 type:f32 'fadd32 'fsub32 'fmul32 'fdiv32 'fmin32 'fmax32 'fcopysign32)
(binaries! #xa0 type:f64 'fadd 'fsub 'fmul 'fdiv 'fmin 'fmax 'fcopysign)

;; ---- comparison --------------------------------------------------------------------------------------

;; An integer comparison is `<`, `>`, `<=` or `>=`. The machine has < and > with constants, < and <= with registers.
(define (order! wasm type relation less less-or-equal below above signed?)
  (let* ((width (width type)) (less (opcode less)) (less-or-equal (opcode less-or-equal))
         (below (opcode below)) (above (opcode above))
         (most (- (expt 2 (if signed? (- width 1) width)) 1))
         (least (if signed? (- -1 most) 0))
         (value (lambda (bits) (if signed? (signed-bits bits width) bits))))
    (define (with-constant f relation register c)
      (let ((to (push-new! f type:i32)) (code (function-code f)))
        (define (test op c) (emit! code op to register (zigzag (if signed? c (signed-bits c 64)))))
        (case relation
          ((<) (test below c))
          ((>) (test above c))
          ((<=) (if (= c most) (emit-constant! code to 1) (test below (+ c 1))))
          (else (if (= c least) (emit-constant! code to 1) (test above (- c 1)))))))
    (define (mirrored relation) (case relation ((<) '>) ((>) '<) ((<=) '>=) (else '<=)))
    (instruction! wasm
      (lambda (f wasm)
        (let* ((right (pop! f type)) (left (pop! f type)))
          (cond ((constant? f right) (with-constant f relation (register! f left) (value (constant f right))))
                ((constant? f left)
                 (with-constant f (mirrored relation) (register! f right) (value (constant f left))))
                (else
                 (let* ((a (register! f left)) (b (register! f right)) (to (push-new! f type:i32))
                        (code (function-code f)))
                   (case relation
                     ((<) (emit! code less to a b))
                     ((>) (emit! code less to b a))
                     ((<=) (emit! code less-or-equal to a b))
                     (else (emit! code less-or-equal to b a)))))))))))

(define (orders! wasm type less-s less-or-equal-s below-s above-s)
  (for-each
   (lambda (i relation)
     (order! (+ wasm (* 2 i)) type relation less-s less-or-equal-s below-s above-s #t)
     (order! (+ wasm (* 2 i) 1) type relation 'lt_u 'le_u 'lti_u 'gti_u #f))
   '(0 1 2 3) '(< > <= >=)))

(binary! #x46 type:i32 'eq immediate: 'eqi field: plain-field commutes: #t result: type:i32)
(binary! #x47 type:i32 'ne immediate: 'nei field: plain-field commutes: #t result: type:i32)
(orders! #x48 type:i32 'lt32_s 'le32_s 'lti32_s 'gti32_s)
(binary! #x51 type:i64 'eq immediate: 'eqi field: (signed-field 64) commutes: #t result: type:i32)
(binary! #x52 type:i64 'ne immediate: 'nei field: (signed-field 64) commutes: #t result: type:i32)
(orders! #x53 type:i64 'lt_s 'le_s 'lti_s 'gti_s)

(define (float-orders! wasm type equal unequal less less-or-equal)
  (binary! wasm type equal result: type:i32)
  (binary! (+ wasm 1) type unequal result: type:i32)
  (binary! (+ wasm 2) type less result: type:i32)
  (binary! (+ wasm 3) type less result: type:i32 swapped: #t)
  (binary! (+ wasm 4) type less-or-equal result: type:i32)
  (binary! (+ wasm 5) type less-or-equal result: type:i32 swapped: #t))

(float-orders! #x5b type:f32 'feq32 'fne32 'flt32 'fle32)
(float-orders! #x61 type:f64 'feq 'fne 'flt 'fle)
