;; WebAssembly scripts, as wast2json writes them: what passes is counted, what fails is told with its line.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/json)
(use scheme-lib/loaders/wasm/wast)
(use scheme-lib/loaders/wasm/assemble)

(define folder (path-directory (temporary-path "wasm")))
(define script (path-expand "comet-wast-test.json" folder))
(define good (path-expand "comet-wast-good.wasm" folder))
(define bad (path-expand "comet-wast-bad.wasm" folder))

(write-file-bytes good
  (wasm-assemble '((type (f32) (f32)) (type () ()) (type (externref) (externref))
                   (import "spectest" "print" function 1)
                   (function 0 () (local.get 0) (f32.const 0.) (f32.div)) (function 1 () (unreachable))
                   (function 2 () (local.get 0)) (global i32 #f (i32.const 5))
                   (export "div" function 1) (export "trap" function 2) (export "same" function 3)
                   (export "five" global 0))))
(write-file-bytes bad '#u8(0 97 115 109 1 0 0 0 99))

(define (object . fields)
  (if (null? fields) '() (cons (cons (car fields) (cadr fields)) (apply object (cddr fields)))))
(define (value type value) (object "type" type "value" value))
(define (invoke name . arguments)
  (object "type" "invoke" "field" name "args" (list->vector arguments)))
(define (returns line action . expected)
  (object "type" "assert_return" "line" line "action" action "expected" (list->vector expected)))

;; (passed . failed), and the lines and texts of what failed
(define (run . commands)
  (let ((failures '()))
    (write-file-text script (json->text (object "commands" (list->vector commands))))
    (let ((counts (wast-run script (lambda (line text) (set! failures (cons (list line text) failures))))))
      (list counts (reverse failures)))))

(define good-module (object "type" "module" "line" 1 "name" "$m" "filename" "comet-wast-good.wasm"))
(define one (value "f32" "1065353216"))
(define zero (value "f32" "0"))

(test-group "WebAssembly scripts"
  (test "count assertions that hold" '((8 . 0) ())
    (run good-module
         (object "type" "register" "line" 2 "name" "$m" "as" "m")
         (returns 3 (invoke "div" one) (value "f32" "2139095040"))
         (returns 4 (invoke "div" zero) (value "f32" "nan:canonical"))
         (returns 5 (invoke "div" zero) (value "f32" "nan:arithmetic"))
         (returns 6 (invoke "same" (value "externref" "3")) (value "externref" "3"))
         (returns 7 (invoke "same" (value "externref" "null")) (value "externref" "null"))
         (returns 8 (object "type" "get" "module" "$m" "field" "five") (value "i32" "5"))
         (object "type" "assert_trap" "line" 9 "action" (invoke "trap") "text" "unreachable")
         (object "type" "assert_malformed" "line" 10 "filename" "comet-wast-bad.wasm" "module_type" "binary"
                 "text" "malformed section id")
         (object "type" "assert_malformed" "line" 11 "filename" "none.wat" "module_type" "text" "text" "any")))
  (test "tell what is not as it should be" '((0 . 4) (3 4 5 6))
    (let ((found (run good-module
                      (returns 3 (invoke "div" one) (value "f32" "0"))
                      (object "type" "assert_trap" "line" 4 "action" (invoke "trap") "text" "integer overflow")
                      (object "type" "assert_trap" "line" 5 "action" (invoke "div" one) "text" "unreachable")
                      (object "type" "assert_invalid" "line" 6 "filename" "comet-wast-good.wasm" "module_type" "binary"
                              "text" "type mismatch"))))
      (list (car found) (map car (cadr found)))))
  (test "need a module" '((0 . 1) ((1 "WebAssembly: no module was made")))
    (run (returns 1 (invoke "f")))))

(for-each delete-file (list script good bad))
