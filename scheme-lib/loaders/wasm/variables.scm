;; Locals, globals, drop and select.
(module scheme-lib/loaders/wasm/variables)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/layout)
(use scheme-lib/loaders/wasm/function)
(declare (standard-bindings) (extended-bindings) (block) (inlining-limit 300))

(instruction! #x20 (lambda (f op) (push-local! f (read-u32! (function-cursor f)))))

(instruction! #x21
  (lambda (f op)
    (let ((index (read-u32! (function-cursor f))))
      (set-local! f index (pop! f (local-type f index))))))

(instruction! #x22
  (lambda (f op)
    (let ((index (read-u32! (function-cursor f))))
      (tee-local! f index (pop! f (local-type f index))))))

;; ---- globals -----------------------------------------------------------------------------------------

(define op:tget (opcode 'tget))
(define op:tset (opcode 'tset))
(define op:ldu64 (opcode 'ldu64))
(define op:st64 (opcode 'st64))

(define (known-global f index)
  (let ((globals (module-globals (function-module f))))
    (if (>= index (vector-length globals)) (invalid (function-instruction f) "unknown global " index))
    (vector-ref globals index)))

(instruction! #x23
  (lambda (f op)
    (let* ((index (read-u32! (function-cursor f)))
           (type (global-type (known-global f index)))
           (place (vector-ref (layout-globals (function-layout f)) index))
           (value (place-value place))
           (code (function-code f)))
      (case (place-kind place)
        ((register) (emit! code op:tget (push-new! f type) value))
        ((memory) (emit! code op:ldu64 (push-new! f type) 0 (zigzag value)))
        (else (push-value! f type value))))))

;; Pushes what a constant expression gave.
(define (push-value! f type value)
  (cond ((not (vector? value)) (push-constant! f type value))
        ((eq? 'function (vector-ref value 0))
         (emit-label-address! (function-code f) (push-new! f type)
                              (vector-ref (layout-functions (function-layout f)) (vector-ref value 1))))
        (else
         (push-value! f type (place-value (vector-ref (layout-globals (function-layout f)) (vector-ref value 1)))))))

(instruction! #x24
  (lambda (f op)
    (let* ((index (read-u32! (function-cursor f))) (global (known-global f index)) (code (function-code f)))
      (if (not (global-mutable? global)) (invalid (function-instruction f) "global is immutable"))
      (let* ((register (register! f (pop! f (global-type global))))
             (place (vector-ref (layout-globals (function-layout f)) index)))
        (if (eq? 'register (place-kind place))
            (emit! code op:tset (place-value place) register)
            (emit! code op:st64 0 register (zigzag (place-value place))))))))

;; ---- drop and select ---------------------------------------------------------------------------------

(instruction! #x1a (lambda (f op) (pop-any! f)))

(define op:select (opcode 'select))
(define op:mov (opcode 'mov))

;; The machine's `select` replaces its condition by the result. That is in the condition's home; from there it is
;; moved to where it belongs.
(define (select! f condition second first type)
  (let* ((b (register! f second)) (a (register! f first)) (test (home f condition)))
    (place! f condition test)
    (emit! (function-code f) op:select test a b)
    (let ((result (push-new! f type)))
      (if (not (= result test)) (emit! (function-code f) op:mov result test)))))

(instruction! #x1b
  (lambda (f op)
    (let* ((condition (pop! f type:i32)) (second (pop-any! f)) (type (peek-type f second))
           (first (pop! f type)) (type (or type (peek-type f first))))
      (if (and type (reference-type? type)) (mismatch f "a number" (type->text type)))
      (select! f condition second first type))))

(instruction! #x1c
  (lambda (f op)
    (let* ((c (function-cursor f)) (at (cursor-at c)))
      (if (not (= 1 (read-u32! c))) (invalid at "invalid result arity"))
      (let* ((type (value-type c)) (condition (pop! f type:i32)) (second (pop! f type)) (first (pop! f type)))
        (select! f condition second first type)))))
