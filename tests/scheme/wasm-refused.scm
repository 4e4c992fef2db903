;; WebAssembly: modules that are none, or break the rules, and what is said of them.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/instance)
(use scheme-lib/loaders/wasm/assemble)

(define header '#u8(0 97 115 109 1 0 0 0))
(define (raw . parts) (u8vector-concatenate (cons header parts)))
(define (section id . bytes) (wasm-section id (list->u8vector bytes)))

(define (kind-and-why bytes)
  (with-exception-catcher
   (lambda (e) (if (wasm-error? e) (cons (wasm-error-kind e) (wasm-error-why e)) (raise e)))
   (lambda () (wasm-instantiate bytes) '(none . "none"))))

;; Whether bytes are refused as KIND for the reason WHY, the beginning of what is said.
(define (refused? kind why bytes)
  (let ((found (kind-and-why bytes)))
    (or (and (eq? kind (car found)) (string-prefix? why (cdr found)))
        found)))

(define-macro (test-refused kind why bytes) `(test ,why #t (refused? ',kind ,why ,bytes)))

;; A module with a function of type () -> () and this code.
(define (code . forms)
  (wasm-assemble `((type () ()) (type (i32) (i32)) (table funcref 1) (table externref 1) (memory 1)
                   (global i32 #f (i32.const 1)) (function 0 (i32 i64) ,@forms) (function 0 ())
                   (passive 0) (data #f "x"))))

(test-group "what is no WebAssembly module"
  (test-refused malformed "unexpected end" '#u8(0 97 115))
  (test-refused malformed "magic header not detected" '#u8(0 97 115 110 1 0 0 0))
  (test-refused malformed "unknown binary version" '#u8(0 97 115 109 2 0 0 0))
  (test-refused malformed "malformed section id" (raw (section 13)))
  (test-refused malformed "unexpected content after last section" (raw (section 3 0) (section 1 0)))
  (test-refused malformed "section size mismatch" (raw (section 1 0 0)))
  (test-refused malformed "unexpected end: length out of bounds" (raw '#u8(1 5 0)))
  (test-refused malformed "unexpected end: length out of bounds" (raw (section 1 200 200 1)))
  (test-refused malformed "integer representation too long" (raw (section 1 128 128 128 128 128 0)))
  (test-refused malformed "integer too large" (raw (section 1 128 128 128 128 16)))
  (test-refused malformed "malformed UTF-8 encoding" (raw (section 0 2 #xc0 #x80)))
  (test-refused malformed "malformed UTF-8 encoding" (raw (section 0 3 #xed #xa0 #x80)))
  (test-refused malformed "malformed value type" (raw (section 1 1 #x60 1 #x40 0)))
  (test-refused malformed "integer representation too long: a function's type begins with 0x60"
    (raw (section 1 1 #x5f 0 0)))
  (test-refused malformed "implementation limit: more than 1000 parameters"
    (wasm-assemble `((type ,(map (lambda (i) 'i32) (iota 1001)) ()))))
  (test-refused malformed "malformed import kind" (raw (section 2 1 0 0 9 0)))
  (test-refused malformed "malformed reference type" (raw (section 4 1 #x7f 0 0)))
  (test-refused malformed "malformed limits flags" (raw (section 5 1 2 0)))
  (test-refused malformed "malformed mutability" (raw (section 6 1 #x7f 2 #x41 0 11)))
  (test-refused malformed "malformed export kind" (raw (section 7 1 0 9 0)))
  (test-refused malformed "malformed elements segment kind" (raw (section 9 1 8)))
  (test-refused malformed "malformed element kind" (raw (section 9 1 1 1 0)))
  (test-refused malformed "malformed data segment kind" (raw (section 11 1 3)))
  (test-refused malformed "function and code section have inconsistent lengths"
    (raw (section 1 1 #x60 0 0) (section 3 1 0)))
  (test-refused malformed "data count and data section have inconsistent lengths" (raw (section 12 1)))
  (test-refused malformed "data count section required"
    (raw (section 1 1 #x60 0 0) (section 3 1 0) (section 5 1 0 1) (section 10 1 5 0 #xfc 9 0 11) (section 11 0)))
  (test-refused malformed "illegal opcode ff" (code '#u8(#xff)))
  (test-refused malformed "zero byte expected" (code '(memory.size 1)))
  (test-refused malformed "END opcode expected: else without if" (code '(else)))
  (test-refused malformed "END opcode expected: the function ends before its body does" (code '(end)))
  (test-refused malformed "unexpected end" (raw (section 1 1 #x60 0 0) (section 3 1 0) (section 10 1 3 0 2 64)))
  (test-refused malformed "too many locals"
    (raw (section 1 1 #x60 0 0) (section 3 1 0) (section 10 1 14 2 255 255 255 255 15 127 255 255 255 255 15 127 11)))
  (test-refused malformed "implementation limit: more than 50000 locals"
    (raw (section 1 1 #x60 0 0) (section 3 1 0) (section 10 1 6 1 209 134 3 127 11)))
  (test-refused malformed "implementation limit: too many locals in all functions"
    (let ((body '#u8(6 1 208 134 3 127 11)))
      (raw (section 1 1 #x60 0 0) (section 3 3 0 0 0) (wasm-section 10 (u8vector-append '#u8(3) body body body)))))
  (test-refused malformed "implementation limit: more than 10000 blocks in each other"
    (wasm-assemble `((type () ()) (function 0 () ,@(map (lambda (i) '(block)) (iota 10001))))))
  (test-refused unlinkable "implementation limit: a table of 10000001 elements"
    (wasm-assemble '((table funcref 10000001))))
  (test-refused malformed "implementation limit: the code is too large"
    (let ((types (map (lambda (i) 'i32) (iota 1000))))
      (wasm-assemble
       `((type ,types ,types)
         (function 0 () ,@(map (lambda (i) `(local.get ,i)) (iota 1000)) (i32.const 0)
                   ,@(append-map (lambda (i) '((local.get 1) (br_if 0))) (iota 1000))
                   (drop)))))))

(test-group "what breaks the rules"
  (test-refused invalid "unknown type 7" (wasm-assemble '((type () ()) (function 7 ()))))
  (test-refused invalid "unknown function 9" (wasm-assemble '((start 9))))
  (test-refused invalid "start function" (wasm-assemble '((type (i32) ()) (function 0 ()) (start 0))))
  (test-refused invalid "duplicate export name"
    (wasm-assemble '((memory 1) (export "m" memory 0) (export "m" memory 0))))
  (test-refused invalid "multiple memories" (wasm-assemble '((memory 1) (memory 1))))
  (test-refused invalid "memory size must be at most 65536 pages (4GiB)" (wasm-assemble '((memory 65537))))
  (test-refused invalid "size minimum must not be greater than maximum" (wasm-assemble '((memory 2 1))))
  (test-refused invalid "constant expression required" (wasm-assemble '((global i32 #f (i32.const 1) (i32.eqz)))))
  (test-refused invalid "type mismatch" (wasm-assemble '((global i32 #f (i64.const 1)))))
  (test-refused invalid "unknown global 0" (wasm-assemble '((global i32 #f (global.get 0)))))
  (test-refused invalid "unknown memory 0" (wasm-assemble '((data ((i32.const 0)) "x"))))
  (test-refused invalid "unknown table 0" (wasm-assemble '((elements ((i32.const 0))))))
  (test-refused invalid "type mismatch: expected an operand, found nothing" (code '(i32.eqz) '(drop)))
  (test-refused invalid "type mismatch: expected i32, found i64" (code '(local.get 1) '(i32.eqz) '(drop)))
  (test-refused invalid "type mismatch: values remain on the stack" (code '(local.get 1)))
  (test-refused invalid "type mismatch: an if without else"
    (code '(i32.const 1) '(if i32) '(i32.const 1) '(end) '(drop)))
  (test-refused invalid "type mismatch: expected a number, found funcref"
    (code '(ref.null funcref) '(ref.null funcref) '(i32.const 1) '(select) '(drop)))
  (test-refused invalid "type mismatch: expected a reference, found i32" (code '(i32.const 1) '(ref.is_null) '(drop)))
  (test-refused invalid "type mismatch: the labels take different numbers of operands"
    (code '(block) '(block i32) '(i32.const 1) '(i32.const 1) '(br_table 1 0) '(end) '(drop) '(end)))
  (test-refused invalid "type mismatch: the table does not hold functions" (code '(i32.const 0) '(call_indirect 0 1)))
  (test-refused invalid "unknown local 2" (code '(local.get 2)))
  (test-refused invalid "unknown label 5" (code '(br 5)))
  (test-refused invalid "unknown function 7" (code '(call 7)))
  (test-refused invalid "unknown type 7" (code '(i32.const 0) '(call_indirect 7 0)))
  (test-refused invalid "unknown table 7" (code '(table.size 7) '(drop)))
  (test-refused invalid "unknown global 7" (code '(global.get 7)))
  (test-refused invalid "unknown elem segment 7" (code '(elem.drop 7)))
  (test-refused invalid "unknown data segment 7" (code '(data.drop 7)))
  (test-refused invalid "global is immutable" (code '(i32.const 1) '(global.set 0)))
  (test-refused invalid "undeclared function reference" (code '(ref.func 1) '(drop)))
  (test-refused invalid "invalid result arity" (code '(unreachable) '(select_t i32 i32)))
  (test-refused invalid "alignment must not be larger than natural" (code '(i32.const 0) '(i32.load 3 0) '(drop))))

(test-error "an instruction that the assembler does not know is told" "there is no WebAssembly instruction"
  (code '(i32.frob)))
