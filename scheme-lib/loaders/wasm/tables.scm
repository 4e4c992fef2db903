;; Tables and references. A reference is 64 bits: 0 for none, a function's address, or whatever the embedder gave.
(module scheme-lib/loaders/wasm/tables)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/layout)
(use scheme-lib/loaders/wasm/function)
(use scheme-lib/loaders/wasm/access)
(declare (standard-bindings) (extended-bindings) (block))

(define op:add (opcode 'add))
(define op:addi (opcode 'addi))
(define op:bcopy (opcode 'bcopy))
(define op:beqi (opcode 'beqi))
(define op:bge_u (opcode 'bge_u))
(define op:bgei_u (opcode 'bgei_u))
(define op:eqi (opcode 'eqi))
(define op:jump (opcode 'jump))
(define op:ldu64 (opcode 'ldu64))
(define op:mov (opcode 'mov))
(define op:sh3add (opcode 'sh3add))
(define op:shli (opcode 'shli))
(define op:st64 (opcode 'st64))

;; ---- references --------------------------------------------------------------------------------------

(instruction! #xd0 (lambda (f op) (push-constant! f (reference-type! (function-cursor f)) 0)))

(instruction! #xd1
  (lambda (f op)
    (let* ((height (pop-any! f)) (type (peek-type f height)) (register (register! f height)))
      (if (and type (not (reference-type? type))) (mismatch f "a reference" (type->text type)))
      (emit! (function-code f) op:eqi (push-new! f type:i32) register (zigzag 0)))))

(instruction! #xd2
  (lambda (f op)
    (let ((index (read-u32! (function-cursor f))) (m (function-module f)))
      (if (>= index (module-function-count m)) (invalid (function-instruction f) "unknown function " index))
      (if (not (module-declared? m index)) (invalid (function-instruction f) "undeclared function reference"))
      (emit-label-address! (function-code f) (push-new! f type:funcref)
                           (vector-ref (layout-functions (function-layout f)) index)))))

;; ---- one element -------------------------------------------------------------------------------------

(define (read-table-index! f)
  (let ((index (read-u32! (function-cursor f))))
    (if (>= index (vector-length (module-tables (function-module f))))
        (invalid (function-instruction f) "unknown table " index))
    index))

(define (element-of f index)
  (table-type-element (vector-ref (module-tables (function-module f)) index)))

(define (emit-table-size! f table register)
  (emit! (function-code f) op:ldu64 register 0 (zigzag (table-size-address (function-layout f) table))))

;; Register `to` gets where an element stands, less the table's address.
(define (emit-element! f table index to)
  (let ((code (function-code f)))
    (emit-table-size! f table to)
    (branch! code op:bge_u index to (trap-label! f trap:table))
    (emit! code op:shli to index 3)))

(define (table-field f table) (zigzag (table-address (function-layout f) table)))

(instruction! #x25
  (lambda (f op)
    (let* ((table (read-table-index! f)) (height (pop! f type:i32)) (index (register! f height))
           (to (home f (+ 1 height))))
      (emit-element! f table index to)
      (emit! (function-code f) op:ldu64 (push-new! f (element-of f table)) to (table-field f table)))))

(instruction! #x26
  (lambda (f op)
    (let* ((table (read-table-index! f)) (value (pop! f (element-of f table))) (height (pop! f type:i32))
           (register (register! f value)) (index (register! f height)) (to (home f (+ 1 value))))
      (emit-element! f table index to)
      (emit! (function-code f) op:st64 to register (table-field f table)))))

;; ---- many elements -----------------------------------------------------------------------------------

(define (known-element f index)
  (let ((elements (module-elements (function-module f))))
    (if (>= index (vector-length elements)) (invalid (function-instruction f) "unknown elem segment " index))
    (vector-ref elements index)))

;; Three operands in registers, and the first register behind them.
(define (pop-three! f first second third receiver)
  (let* ((third (pop! f third)) (second (pop! f second)) (first (pop! f first))
         (c (register! f third)) (b (register! f second)) (a (register! f first)))
    (receiver a b c (+ 1 (home f third)))))

;; Copies n elements to the table from the address in `spare`, plus b elements.
(define (copy-elements! f table a b n spare)
  (let ((code (function-code f)))
    (emit! code op:sh3add spare b spare)
    (emit! code op:shli (+ spare 1) a 3)
    (emit! code op:addi (+ spare 1) (+ spare 1) (table-field f table))
    (emit! code op:shli (+ spare 2) n 3)
    (emit! code op:bcopy (+ spare 1) spare (+ spare 2))))

;; table.init
(instruction! 268
  (lambda (f op)
    (let* ((segment (read-u32! (function-cursor f))) (table (read-table-index! f))
           (element (known-element f segment)) (place (element-address (function-layout f) segment)))
      (if (not (eqv? (element-type element) (element-of f table)))
          (mismatch f (type->text (element-of f table)) (type->text (element-type element))))
      (pop-three! f type:i32 type:i32 type:i32
        (lambda (a b n spare)
          (emit! (function-code f) op:ldu64 spare 0 (zigzag (+ 8 place)))
          (check-range! f b n spare (+ spare 1) trap:table)
          (emit-table-size! f table spare)
          (check-range! f a n spare (+ spare 1) trap:table)
          (emit! (function-code f) op:ldu64 spare 0 (zigzag place))
          (copy-elements! f table a b n spare))))))

;; elem.drop
(instruction! 269
  (lambda (f op)
    (let ((segment (read-u32! (function-cursor f))))
      (known-element f segment)
      (emit! (function-code f) op:st64 0 0 (zigzag (+ 8 (element-address (function-layout f) segment)))))))

;; table.copy
(instruction! 270
  (lambda (f op)
    (let* ((to (read-table-index! f)) (from (read-table-index! f)))
      (if (not (eqv? (element-of f to) (element-of f from)))
          (mismatch f (type->text (element-of f to)) (type->text (element-of f from))))
      (pop-three! f type:i32 type:i32 type:i32
        (lambda (a b n spare)
          (emit-table-size! f from spare)
          (check-range! f b n spare (+ spare 1) trap:table)
          (emit-table-size! f to spare)
          (check-range! f a n spare (+ spare 1) trap:table)
          (emit-constant! (function-code f) spare (table-address (function-layout f) from))
          (copy-elements! f to a b n spare))))))

;; Sets `count` elements from the address in `at` on; both registers are changed.
(define (fill-elements! f at value count)
  (let ((code (function-code f)) (again (make-label)) (done (make-label)))
    (bind-label! code again)
    (branch! code op:beqi count (zigzag 0) done)
    (emit! code op:st64 at value (zigzag 0))
    (emit! code op:addi at at (zigzag 8))
    (emit! code op:addi count count (zigzag -1))
    (branch! code op:jump #f #f again)
    (bind-label! code done)))

;; The address of element `index` into `to`.
(define (emit-element-address! f table index to)
  (emit! (function-code f) op:shli to index 3)
  (emit! (function-code f) op:addi to to (table-field f table)))

;; table.grow: the size before, or -1
(instruction! 271
  (lambda (f op)
    (let* ((table (read-table-index! f)) (count (pop! f type:i32)) (value (pop! f (element-of f table)))
           (n (register! f count)) (v (register! f value))
           (code (function-code f)) (layout (function-layout f))
           (done (make-label))
           (result (+ 1 (home f count))) (size (+ result 1)) (at (+ result 2)) (left (+ result 3)))
      (emit-table-size! f table size)
      (emit-constant! code result #xffffffff)
      (emit! code op:add at size n)
      (branch! code op:bgei_u at (zigzag (+ 1 (table-capacity layout table))) done)
      (emit! code op:st64 0 at (zigzag (table-size-address (function-layout f) table)))
      (emit! code op:mov result size)
      (emit-element-address! f table size at)
      (emit! code op:mov left n)
      (fill-elements! f at v left)
      (bind-label! code done)
      (emit! code op:mov (push-new! f type:i32) result))))

;; table.size
(instruction! 272
  (lambda (f op)
    (let ((table (read-table-index! f)))
      (emit-table-size! f table (push-new! f type:i32)))))

;; table.fill
(instruction! 273
  (lambda (f op)
    (let ((table (read-table-index! f)))
      (pop-three! f type:i32 (element-of f table) type:i32
        (lambda (a v n spare)
          (emit-table-size! f table spare)
          (check-range! f a n spare (+ spare 1) trap:table)
          (emit-element-address! f table a spare)
          (emit! (function-code f) op:mov (+ spare 1) n)
          (fill-elements! f spare v (+ spare 1)))))))
