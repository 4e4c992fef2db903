;; WebAssembly: control, memory, tables, imports, traps; what is refused, and why.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/machine)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/instance)
(use scheme-lib/loaders/wasm/assemble)

(define (make imports . forms) (wasm-instantiate (wasm-assemble forms) imports))

;; An instance of one function, with a memory of a page, which grows to three.
(define (one params results locals . code)
  (make '() `(type ,params ,results) '(memory 1 3) `(function 0 ,locals ,@code) '(export "f" function 0)
        '(data ((i32.const 8)) "hello") '(data #f "passive")))
(define (value-of results . code) (wasm-call (apply one '() results '(i32 i32 i64) code) "f"))

;; What a thunk fails with, in WebAssembly's words, up to the place.
(define (why thunk)
  (with-exception-catcher
   (lambda (e)
     (if (not (wasm-error? e)) (raise e))
     (let* ((words (wasm-error-why e)) (at (string-contains words " at "))) (if at (substring words 0 at) words)))
   (lambda () (thunk) "nothing")))
(define (trap-of . code) (why (lambda () (apply value-of '() code))))

(test-group "WebAssembly control"
  (test "a function calls itself" 6765
    (wasm-call (one '(i32) '(i32) '()
                    '(local.get 0) '(i32.const 2) '(i32.lt_s)
                    '(if i32) '(local.get 0)
                    '(else) '(local.get 0) '(i32.const 1) '(i32.sub) '(call 0)
                    '(local.get 0) '(i32.const 2) '(i32.sub) '(call 0) '(i32.add) '(end))
               "f" 20))
  (test "a loop adds up, and locals begin as zero" 5050
    (wasm-call (one '(i32) '(i64) '(i32 i64)
                    '(block) '(loop) '(local.get 0) '(i32.eqz) '(br_if 1)
                    '(local.get 2) '(local.get 0) '(i64.extend_i32_u) '(i64.add) '(local.set 2)
                    '(local.get 0) '(i32.const -1) '(i32.add) '(local.set 0) '(br 0) '(end) '(end) '(local.get 2))
               "f" 100))
  (test "an operand keeps the value that its local had" '(7 9)
    (value-of '(i32 i32) '(i32.const 7) '(local.set 0) '(local.get 0) '(i32.const 9) '(local.set 0) '(local.get 0)))
  (test "results may be the parameters, in another order" '(2 1)
    (wasm-call (one '(i32 i32) '(i32 i32) '() '(local.get 1) '(local.get 0)) "f" 1 2))
  (test "a branch takes operands along and drops what is below them" 8
    (value-of '(i32) '(block i32) '(i32.const 5) '(i32.const 6) '(i32.const 8) '(br 0) '(end)))
  (test "a conditional branch leaves its operands" 12
    (value-of '(i32) '(i32.const 5) '(block i32) '(i32.const 1) '(i32.const 7) '(local.get 0) '(br_if 0) '(i32.add)
              '(i32.const 1) '(i32.sub) '(end) '(i32.add)))
  (test "a block takes parameters" 42
    (wasm-call (make '() '(type (i32 i32) (i32)) '(type () (i32))
                     '(function 1 () (i32.const 6) (i32.const 7) (block 0) (i32.mul) (end)) '(export "f" function 0))
               "f"))
  (test "a loop takes parameters, and gives them on" 120
    (wasm-call (make '() '(type (i32 i32) (i32)) '(type (i32) (i32))
                     '(function 1 (i32) (i32.const 1) (local.get 0) (loop 0) (local.set 0) (local.get 0) (i32.mul)
                                (local.get 0) (i32.const 1) (i32.sub) (local.tee 0) (local.get 0)
                                (i32.const 1) (i32.gt_s) (br_if 0) (drop) (end))
                     '(export "f" function 0))
               "f" 5))
  (test "an arm of an if takes parameters, the other passes them on" '(11 10)
    (let ((i (make '() '(type (i32) (i32))
                   '(function 0 () (i32.const 10) (local.get 0) (if 0) (i32.const 1) (i32.add) (end))
                   '(export "f" function 0))))
      (list (wasm-call i "f" 1) (wasm-call i "f" 0))))
  (test "a table of branches, and its default" '(10 20 30 30)
    (let ((i (one '(i32) '(i32) '()
                  '(block) '(block) '(block) '(local.get 0) '(br_table 0 1 2) '(end) '(i32.const 10) '(return) '(end)
                  '(i32.const 20) '(return) '(end) '(i32.const 30))))
      (map (lambda (n) (wasm-call i "f" n)) '(0 1 2 -1))))
  (test "a table of branches takes operands along" '(5 6 6)
    (let ((i (one '(i32) '(i32) '()
                  '(block i32) '(block i32) '(i32.const 99) '(i32.const 5) '(local.get 0) '(br_table 1 0) '(end)
                  '(i32.const 1) '(i32.add) '(end))))
      (map (lambda (n) (wasm-call i "f" n)) '(0 1 -1))))
  (test "select takes the first when its condition holds" '(1 2 1.5)
    (list (value-of '(i32) '(i32.const 1) '(i32.const 2) '(i32.const 9) '(select))
          (value-of '(i32) '(i32.const 1) '(i32.const 2) '(i32.const 0) '(select))
          (value-of '(f32) '(f32.const 1.5) '(f32.const 2.) '(i32.const 1) '(select_t f32))))
  (test "a null reference is one" '(1 0)
    (value-of '(i32 i32) '(ref.null funcref) '(ref.is_null) '(ref.func 0) '(ref.is_null)))
  (test "what cannot be reached may be anything" 3
    (value-of '(i32) '(block i32) '(i32.const 3) '(br 0) '(i32.add) '(drop) '(local.get 0) '(nop) '(end)))
  (test "arguments keep their places below and above operands" 354
    (wasm-call (make '() '(type (i32 i32 i32) (i32)) '(type () (i32))
                     '(function 0 () (local.get 0) (i32.const 100) (i32.mul) (local.get 1) (i32.const 10) (i32.mul)
                                (i32.add) (local.get 2) (i32.add))
                     '(function 1 (i32) (i32.const 3) (local.tee 0) (i32.const 1) (i32.mul)
                                (i32.const 1) (local.get 0) (i32.const 0) (call 0)
                                (i32.const 130) (i32.sub) (i32.const 18) (i32.add) (i32.add)
                                (local.get 0) (i32.const 297) (i32.mul) (i32.add) (i32.const 558) (i32.sub))
                     '(export "f" function 1))
               "f")))

(test-group "WebAssembly memory"
  (test "is what its data segments say" 111 (value-of '(i32) '(i32.const 10) '(i32.load8_u 0 2)))
  ;; Of bytes 80 to 87, hexadecimal, in order.
  (for-each
   (lambda (row)
     (test (text (car row) " loads") (cadr row)
       (value-of (list (string->symbol (substring (symbol->string (car row)) 0 3)))
                 '(i32.const 64) '(i64.const #x-78797a7b7c7d7e80) '(i64.store 0 0)
                 '(i32.const 64) (list (car row) 0 0))))
   '((i32.load #x-7c7d7e80) (i64.load #x-78797a7b7c7d7e80) (i32.load8_s -128) (i32.load8_u 128)
     (i32.load16_s #x-7e80) (i32.load16_u #x8180) (i64.load8_s -128) (i64.load8_u 128) (i64.load16_s #x-7e80)
     (i64.load16_u #x8180) (i64.load32_s #x-7c7d7e80) (i64.load32_u #x83828180)))
  ;; Over zeros.
  (for-each
   (lambda (row)
     (test (text (car row) " stores") (caddr row)
       (value-of '(i64) '(i32.const 64) (cadr row) (list (car row) 0 1) '(i32.const 64) '(i64.load 0 0))))
   '((i32.store (i32.const #x12345678) #x1234567800) (i64.store (i64.const #x123456789) #x12345678900)
     (i32.store8 (i32.const #x1234) #x3400) (i32.store16 (i32.const #x123456) #x345600)
     (i64.store8 (i64.const #x1234) #x3400) (i64.store16 (i64.const #x123456) #x345600)
     (i64.store32 (i64.const #x123456789a) #x3456789a00)
     (f32.store (f32.const 1.5) #x3fc0000000) (f64.store (f64.const 1.5) #x-800000000000000)))
  (test "reals go through memory as they are" '(-2.5 -2.5)
    (value-of '(f64 f32) '(i32.const 64) '(f64.const -2.5) '(f64.store 0 0) '(i32.const 64) '(f64.load 0 0)
              '(i32.const 64) '(f32.const -2.5) '(f32.store 0 0) '(i32.const 64) '(f32.load 0 0)))
  (test "begins with its size, and grows to its limit" '(1 1 3 -1 3)
    (value-of '(i32 i32 i32 i32 i32) '(memory.size 0) '(i32.const 2) '(memory.grow 0) '(memory.size 0)
              '(i32.const 1) '(memory.grow 0) '(i32.const 0) '(memory.grow 0)))
  (test "is zero where it grew" 0
    (value-of '(i32) '(i32.const 1) '(memory.grow 0) '(drop) '(i32.const 65536) '(i32.load 0 4)))
  (test "the last byte is there" 0 (value-of '(i32) '(i32.const 65535) '(i32.load8_u 0 0)))
  (test "the byte behind it is not" "out of bounds memory access"
    (trap-of '(i32.const 65533) '(i32.load 0 0) '(drop)))
  (test "nor is one at the largest address and offset" "out of bounds memory access"
    (trap-of '(i32.const -1) '(i32.const 1) '(i32.store8 0 4294967295)))
  (test "blocks are copied, overlapping too" "hhell"
    (let ((i (one '() '() '() '(i32.const 9) '(i32.const 8) '(i32.const 4) '(memory.copy 0 0))))
      (wasm-call i "f")
      (let ((at (machine-symbol (wasm-machine i) "memory")))
        (utf8->string (machine-memory (wasm-machine i) (+ at 8) 5)))))
  (test "blocks are filled" #x07070707
    (value-of '(i32) '(i32.const 64) '(i32.const 7) '(i32.const 4) '(memory.fill 0) '(i32.const 64) '(i32.load 0 0)))
  (test "passive data are copied, until they are dropped" (list (char->integer #\s) "out of bounds memory access")
    (list (value-of '(i32) '(i32.const 64) '(i32.const 2) '(i32.const 3) '(memory.init 1 0) '(i32.const 64)
                    '(i32.load8_u 0 0))
          (trap-of '(data.drop 1) '(i32.const 0) '(i32.const 0) '(i32.const 1) '(memory.init 1 0))))
  (test "a block of nothing behind the end traps" "out of bounds memory access"
    (trap-of '(i32.const 65537) '(i32.const 0) '(i32.const 0) '(memory.fill 0)))
  (test "data that do not fit are told when it is made" "out of bounds memory access"
    (why (lambda () (make '() '(memory 1) '(data ((i32.const 65533)) "four")))))
  (test "data far apart take no room between them" 55
    (wasm-call (make '() '(type () (i32)) '(memory 1000)
                     '(function 0 () (i32.const 65535000) (i32.load8_u 0 0)) '(export "f" function 0)
                     '(data ((i32.const 65535000)) "7") '(data ((i32.const 1)) "1"))
               "f")))

(test-group "WebAssembly tables"
  (define table-module
    '((type () (i32)) (type (i32) (i32)) (type (i32 funcref) (i32)) (type (i32 i32 i32) ()) (type () ())
      (type (i32 externref) (externref))
      (table funcref 6 8) (table externref 2)
      (function 0 () (i32.const 11))
      (function 0 () (i32.const 22))
      (function 1 () (local.get 0))
      (function 1 () (local.get 0) (call_indirect 0 0))
      (function 1 () (local.get 0) (table.get 0) (ref.is_null))
      (function 2 () (local.get 1) (local.get 0) (table.grow 0))
      (function 3 () (local.get 0) (local.get 1) (local.get 2) (table.init 1 0))
      (function 3 () (local.get 0) (local.get 1) (local.get 2) (table.copy 0 0))
      (function 1 () (local.get 0) (ref.func 1) (i32.const 2) (table.fill 0) (table.size 0))
      (function 4 () (elem.drop 1))
      (function 5 () (local.get 0) (local.get 1) (table.set 1) (local.get 0) (table.get 1))
      (elements ((i32.const 0)) 0 1 2) (passive 1 0)
      (export "call" function 3) (export "null" function 4) (export "grow" function 5) (export "init" function 6)
      (export "copy" function 7) (export "fill" function 8) (export "drop" function 9) (export "keep" function 10)))
  (define i (apply make '() table-module))
  (define (call . arguments) (with-exception-catcher exception->text (lambda () (apply wasm-call i arguments))))
  (define (trap . arguments) (why (lambda () (apply wasm-call i arguments))))
  (test "call functions" '(11 22) (list (call "call" 0) (call "call" 1)))
  (test "do not call functions of another type" "indirect call type mismatch" (trap "call" 2))
  (test "do not call what is not there" "uninitialized element" (trap "call" 3))
  (test "do not call beyond their end" "undefined element" (trap "call" 6))
  (test "nor far beyond" "undefined element" (trap "call" -1))
  (test "tell null" '(0 1) (list (call "null" 0) (call "null" 5)))
  (test "do not give what is beyond their end" "out of bounds table access" (trap "null" 6))
  (test "take segments" '(22 11)
    (begin (call "init" 3 0 2) (list (call "call" 3) (call "call" 4))))
  (test "do not take more than there is" "out of bounds table access" (trap "init" 3 1 2))
  (test "copy" 22 (begin (call "copy" 5 3 1) (call "call" 5)))
  (test "fill, and know their size" '(6 22) (list (call "fill" 1) (call "call" 2)))
  (test "grow to their limit" '(6 -1 1) (list (call "grow" 2 #f) (call "grow" 1 #f) (call "null" 7)))
  (test "lose a segment that is dropped" "out of bounds table access" (begin (call "drop") (trap "init" 0 0 1)))
  (test "keep any object of Scheme" '(a list) (call "keep" 1 '(a list)))
  (test "elements that do not fit are told when it is made" "out of bounds table access"
    (why (lambda () (make '() '(type () ()) '(table funcref 1) '(function 0 ()) '(elements ((i32.const 1)) 0))))))

;; A module that exports a memory, a table, a global and functions, and one that uses them all.
(define (exporter . imports)
  (apply make imports
         '((type () (i32)) (type (i32) (i32)) (memory 1 3) (table funcref 4) (global i32 #t (i32.const 5))
           (function 0 () (i32.const 0) (i32.load 2 0))
           (function 0 () (global.get 0))
           (function 1 () (local.get 0) (call_indirect 0 0))
           (elements ((i32.const 0)) 1)
           (export "memory" memory 0) (export "table" table 0) (export "global" global 0)
           (export "load" function 0) (export "get" function 1) (export "call" function 2))))

(define importer-module
  '((type () (i32)) (type (i32) (i32)) (type (i32) ())
    (import "a" "get" function 0) (import "a" "memory" memory 1 3) (import "a" "table" table funcref 2)
    (import "a" "global" global i32 #t) (global i32 #t (i32.const 1000))
    (function 2 () (i32.const 0) (local.get 0) (i32.store 2 0))
    (function 2 () (local.get 0) (global.set 0) (i32.const 2000) (global.set 1))
    (function 0 () (call 0) (global.get 1) (i32.add))
    (function 1 () (local.get 0) (memory.grow 0))
    (elements ((i32.const 1)) 3 0) (data ((i32.const 0)) "\x07;")
    (export "store" function 1) (export "set" function 2) (export "sum" function 3) (export "grow" function 4)))

(define (imports-from instance)
  (map (lambda (name) (list "a" name (wasm-export instance name))) '("get" "memory" "table" "global")))

;; So many instances in one machine that import nothing, the last first.
(define (alone count)
  (let loop ((instances '()))
    (if (= count (length instances))
        instances
        (loop (cons (wasm-instantiate
                     (wasm-assemble '((type () (i32)) (memory 1) (data ((i32.const 0)) "\x07;")
                                      (function 0 () (i32.const 0) (i32.load 2 0)) (export "load" function 0)))
                     '()
                     (and (pair? instances) (wasm-machine (car instances))))
                    instances)))))

(test-group "WebAssembly modules that are linked"
  (define a (exporter))
  (define b (apply make (imports-from a) importer-module))
  (test "share a memory, with what the second has for it" 7 (wasm-call a "load"))
  (test "in both directions" -3 (begin (wasm-call b "store" -3) (wasm-call a "load")))
  (test "share how large it is" '(1 2 -1) (list (wasm-call b "grow" 1) (wasm-call b "grow" 0) (wasm-call b "grow" 2)))
  (test "share a table, whose functions belong to either" '(5 1005 5)
    (list (wasm-call a "call" 0) (wasm-call a "call" 1) (wasm-call a "call" 2)))
  (test "share a mutable global, and keep their own" '(9 9 2009)
    (begin (wasm-call b "set" 9) (list (wasm-global a "global") (wasm-call a "get") (wasm-call b "sum"))))
  (test "are in one machine" #t (eq? (wasm-machine a) (wasm-machine b)))
  (test "lie in its fast window, each with a memory of its own" '(#t 7)
    (let* ((instances (alone 7)) (machine (wasm-machine (car instances))))
      (list (every (lambda (region) (< (car region) (cdr (assq 'window (machine-limits machine)))))
                   (machine-regions machine))
            (wasm-call (car instances) "load"))))
  (test "are further ones, too" '(9 3009)
    (let ((c (apply make (imports-from a) importer-module)))
      (wasm-call c "set" 9)
      (list (wasm-call a "call" 2) (+ 1000 (wasm-call b "sum")))))
  (test "trap in the words of the one that ran" "undefined element" (why (lambda () (wasm-call a "call" 4))))
  (test "keep what was written before a segment did not fit" '("out of bounds memory access" 5)
    (list (why (lambda ()
                 (apply make (imports-from a)
                        (append importer-module '((elements ((i32.const 3)) 0) (data ((i32.const 200000)) "x"))))))
          (- (wasm-call a "call" 3) 4)))
  (test-error "are of what the import asks for" "incompatible import type: memory memory of module a"
    (make (imports-from a) '(import "a" "memory" memory 1 2)))
  (test-error "do not come from several machines" "instances of several machines cannot be linked"
    (make (append (imports-from a) `(("b" "get" ,(wasm-export (exporter) "get"))))
      '(type () (i32)) '(import "a" "get" function 0) '(import "b" "get" function 0)))
  (test-error "nor from another than they are made in" "instances of several machines cannot be linked"
    (wasm-instantiate (wasm-assemble '((type () (i32)) (import "a" "get" function 0))) (imports-from a) (make-machine)))
  (test-error "have what is asked for" "WebAssembly: the module exports no function `none`" (wasm-export a "none")))

(test-group "WebAssembly globals, imports and start"
  (test "globals keep their values between calls" '(6 7 5)
    (let ((i (make '() '(type () (i32)) '(global i32 #t (i32.const 5)) '(global i32 #f (i32.const 5))
                   '(function 0 () (global.get 0) (i32.const 1) (i32.add) (global.set 0) (global.get 0))
                   '(export "f" function 0) '(export "g" global 1))))
      (let* ((a (wasm-call i "f")) (b (wasm-call i "f"))) (list a b (wasm-global i "g")))))
  (test "there may be more globals than thread registers" 190
    (let ((i (apply make '() '(type () (i32)) '(export "f" function 0)
                    `(function 0 () (i32.const 0) ,@(append-map (lambda (n) `((global.get ,n) (i32.add))) (iota 20))
                               (i32.const 1) (global.set 19))
                    (map (lambda (n) `(global i32 #t (i32.const ,n))) (iota 20)))))
      (wasm-call i "f")))
  (test "procedures are imported, with their types" '(3 -1 2.5)
    (let* ((seen '())
           (i (make `(("env" "f" ,(lambda (a b c) (set! seen (list a b c)) 7)))
                    '(type (i32 i64 f64) (i32)) '(import "env" "f" function 0)
                    '(function 0 () (local.get 0) (local.get 1) (local.get 2) (call 0)) '(export "g" function 1))))
      (wasm-call i "g" 3 -1 2.5)
      seen))
  (test "a procedure gives several results as a list" '(1 2)
    (wasm-call (make `(("env" "f" ,(lambda () '(1 2))))
                     '(type () (i32 i32)) '(import "env" "f" function 0) '(function 0 () (call 0))
                     '(export "g" function 1))
               "g"))
  (test-error "and not another number of them"
    "WebAssembly: the imported function f of module env has to give a list of 2 values"
    (wasm-call (make `(("env" "f" ,(lambda () '(1))))
                     '(type () (i32 i32)) '(import "env" "f" function 0) '(export "g" function 0))
               "g"))
  (test "a procedure may call the instance again, which keeps its globals" '(20 1)
    (letrec ((i (make `(("env" "again" ,(lambda (n) (wasm-call i "f" (- n 1)))))
                      '(type (i32) (i32)) '(import "env" "again" function 0) '(global i32 #t (i32.const 0))
                      '(function 0 () (global.get 0) (i32.const 1) (i32.add) (global.set 0)
                                 (local.get 0) (if i32) (local.get 0) (call 0) (i32.const 10) (i32.add)
                                 (else) (i32.const 0) (end))
                      '(export "f" function 1) '(export "count" global 0))))
      (let ((result (wasm-call i "f" 2))) (list result (quotient (wasm-global i "count") 3)))))
  (test "a standard host call is imported by its name" "hi"
    (let ((i (make '(("comet" "arg" "arg"))
                   '(type (i64 i64 i64) (i64)) '(type () (i64)) '(import "comet" "arg" function 0)
                   '(memory 1) '(function 1 () (i64.const 0) (i64.const #x100000) (i64.const 9) (call 0))
                   '(export "f" function 1))))
      (machine-arguments-set! (wasm-machine i) '("hi"))
      (wasm-call i "f")
      (utf8->string (machine-memory (wasm-machine i) (machine-symbol (wasm-machine i) "memory") 2))))
  (test "globals are imported" 9
    (wasm-call (make '(("env" "g" 9)) '(type () (i32)) '(import "env" "g" global i32 #f)
                     '(function 0 () (global.get 0)) '(export "f" function 0))
               "f"))
  (test "the start function runs when it is made" 4
    (wasm-global (make '() '(type () ()) '(global i32 #t (i32.const 0))
                       '(function 0 () (i32.const 4) (global.set 0)) '(start 0) '(export "g" global 0))
                 "g"))
  (test "functions have the names of the name section" #t
    (let ((i (make '() '(type () ()) '(function 0 ()) '(names (0 "greet")))))
      (and (machine-symbol (wasm-machine i) "greet") #t)))
  (test "what is missing is named" "unknown import: function f of module env"
    (why (lambda () (make '() '(type () ()) '(import "env" "f" function 0)))))
  (test "what is of another kind is refused" "incompatible import type: function f of module env"
    (why (lambda () (make '(("env" "f" 5)) '(type () ()) '(import "env" "f" function 0)))))
  (test-error "an export that is not there is told, with one that is"
    "WebAssembly: the module exports no function `gloo`"
    (wasm-call (make '() '(type () ()) '(function 0 ()) '(export "glue" function 0)) "gloo"))
  (test-error "arguments are counted" "WebAssembly: `f` takes 0 arguments, not 1" (wasm-call (one '() '() '()) "f" 1))
  (test-error "and must be of their types" "WebAssembly: 1.5 is no value of type i32"
    (wasm-call (one '(i32) '() '()) "f" 1.5)))

(test-group "WebAssembly traps"
  (test "unreachable" "unreachable" (trap-of '(unreachable)))
  (test "division by zero" "integer divide by zero" (trap-of '(i32.const 1) '(local.get 0) '(i32.div_s) '(drop)))
  (test "overflow" "integer overflow" (trap-of '(i32.const #x-80000000) '(i32.const -1) '(i32.div_s) '(drop)))
  (test "conversion of a NaN" "invalid conversion to integer"
    (trap-of '(f32.const +nan.0) '(i32.trunc_f32_s) '(drop)))
  (test "calls without end" "call stack exhausted" (trap-of '(call 0)))
  (test "tell the function and the place" #t
    (and (string-contains
          (with-exception-catcher exception->text
            (lambda () (wasm-call (make '() '(type () ()) '(function 0 () (unreachable)) '(export "boom" function 0))
                                  "boom")))
          "<boom")
         #t)))
