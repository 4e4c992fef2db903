;; WebAssembly: which instructions and traps the modules of these tests reach. They are read as data: an instruction is
;; there where a list in them begins with its name, a trap where a text tells it.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/loaders/wasm/assemble)

(define modules '("tests/scheme/wasm.scm" "tests/scheme/wasm-numeric.scm"))

(define (forms-of path) (call-with-input-file path (lambda (port) (read-all port read))))

(define names (make-table test: eq?))
(define texts (make-table))

(define (walk form)
  (cond ((pair? form)
         (if (symbol? (car form)) (table-set! names (car form) #t))
         (walk (car form))
         (walk (cdr form)))
        ((string? form) (table-set! texts form #t))))
(for-each (lambda (path) (walk (forms-of path))) modules)

;; What the specification calls them.
(define traps
  '("unreachable" "integer divide by zero" "integer overflow" "invalid conversion to integer"
    "out of bounds memory access" "out of bounds table access" "indirect call type mismatch" "undefined element"
    "uninitialized element" "call stack exhausted"))

(test-group "WebAssembly: what the modules of these tests cover"
  (test "no instruction is left out" '()
    (filter (lambda (name) (not (table-ref names name #f))) (map car wasm-opcodes)))
  (test "no trap is left out" '() (filter (lambda (trap) (not (table-ref texts trap #f))) traps)))
