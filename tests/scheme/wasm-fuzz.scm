;; Damaged WebAssembly modules. SEED and COUNT are variables of the environment; `make fuzz` sets them.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/instance)
(use scheme-lib/loaders/wasm/assemble)

(define seed (string->number (getenv "SEED" "1")))
(define count (string->number (getenv "COUNT" "300")))

(define whole
  (wasm-assemble
   '((type () ()) (type (i32) (i32)) (table funcref 2) (memory 1) (global i32 #t (i32.const 1))
     (function 1 (i32 i64) (block) (loop) (local.get 0) (i32.eqz) (br_if 1) (local.get 0) (i32.const 1) (i32.sub)
               (local.tee 0) (br_table 0 1) (end) (end) (local.get 0) (if i32) (i32.const 1) (else) (local.get 1) (end)
               (i32.const 0) (call_indirect 1 0) (i32.load 2 4) (global.get 0) (i32.add))
     (function 0 () (i32.const 0) (i32.const 0) (i32.const 1) (memory.init 0 0))
     (elements ((i32.const 0)) 0 0) (data #f "x") (names (0 "f") (1 "g")) (export "f" function 0))))

(define source (make-random-source))
(random-source-pseudo-randomize! source seed 7)
(define random-below (random-source-make-integers source))

;; A whole C program with what debuggers want to know of it. It takes longer, so its turn is rare. (Gambit 4.9.3's
;; collector crashes when some thousand byte vectors of this size, of varying length, come and go between string ports and
;; errors, without any library of ours; it does not when it is called after each.)
(define program (read-file-bytes "examples/json.wasm"))

(define (damaged)
  (let ((bytes (u8vector-copy (if (= 0 (random-below 25)) program whole))))
    (do ((n (+ 1 (random-below 3)) (- n 1))) ((= n 0))
      (u8vector-set! bytes (+ 8 (random-below (- (u8vector-length bytes) 8))) (random-below 256)))
    (subu8vector bytes 0 (if (= 0 (random-below 8)) (random-below (u8vector-length bytes)) (u8vector-length bytes)))))

;; Without running anything: what can be run may run for ever.
(define (outcome bytes)
  (with-exception-catcher
   (lambda (e) (if (wasm-error? e) 'refused (exception->text e)))
   (lambda () (wasm-check bytes) 'taken)))

(test "a damaged module is refused, or is another module" '()
  (let loop ((i 0) (refused 0) (wrong '()))
    (if (or (= i count) (= 10 (length wrong)))
        (begin
          (println i " damaged modules: " refused " refused, " (- i refused (length wrong)) " valid, " (length wrong) " neither")
          wrong)
        (let* ((bytes (damaged)) (found (outcome bytes)))
          (if (> (u8vector-length bytes) (u8vector-length whole)) (##gc))
          (loop (+ i 1)
                (if (eq? found 'refused) (+ refused 1) refused)
                (if (memq found '(refused taken)) wrong (cons (list found (u8vector->hex bytes)) wrong)))))))
