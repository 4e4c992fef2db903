;; What can be wrong, in the words of WebAssembly's specification. A module is malformed (no module at all),
;; invalid (one that breaks the rules), unlinkable (it needs what is not there), or its code traps.
(module scheme-lib/loaders/wasm/errors)
(use scheme-lib/util)
(declare (block))

;; offset: in the module's file; #f for what has no place there
(define-type wasm-error kind offset why)

(define (error->text e)
  (text "WebAssembly: " (wasm-error-why e)
        (case (wasm-error-kind e)
          ((malformed invalid)
           (text "; the module is " (wasm-error-kind e) " at offset " (hex (wasm-error-offset e))))
          ((unlinkable) "; the module cannot be linked")
          (else ""))))
(exception-text! wasm-error? error->text)

(define (malformed offset . why) (raise (make-wasm-error 'malformed offset (apply text why))))
(define (invalid offset . why) (raise (make-wasm-error 'invalid offset (apply text why))))
(define (unlinkable . why) (raise (make-wasm-error 'unlinkable #f (apply text why))))
(define (trapped . why) (raise (make-wasm-error 'trap #f (apply text why))))
