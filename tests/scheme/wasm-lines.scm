;; WebAssembly: source lines from DWARF.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/image)
(use scheme-lib/machine)
(use scheme-lib/loaders/wasm/program)
(use scheme-lib/loaders/wasm/assemble)

(define (number n) (number->u8vector n 4))
(define (bytes . parts)
  (u8vector-concatenate
   (map (lambda (part)
          (cond ((u8vector? part) part) ((string? part) (string->utf8 part)) (else (u8vector part))))
        parts)))

;; A unit of .debug_line: its version, what tells the files, and the program.
(define (unit version files program)
  (let* ((rest (bytes 1 (if (>= version 4) 1 (u8vector)) 1 251 14 13 0 1 1 1 1 0 0 0 1 0 0 1 files))
         (all (bytes version 0 (if (= version 5) (u8vector 4 0) (u8vector))
                     (number (u8vector-length rest)) rest program)))
    (bytes (number (u8vector-length all)) all)))

(define files-4 (bytes "lib" 0 0 "t.c" 0 0 0 0 "u.c" 0 1 0 0 0))
(define files-5 (bytes 1 1 8 2 "/src" 0 "lib" 0 2 1 8 2 11 2 "t.c" 0 0 "u.c" 0 1))

;; Code begins at offset 2 of its section. Line 5 from there, 9 of the other file, column 3, at offset 7; the end at 9.
(define (program file)
  (bytes 0 5 2 (number 2) 4 file 3 4 1
         4 (+ file 1) 5 3 3 4 2 5 1
         2 2 0 1 1))

(define (module-with section)
  (wasm->image
   (wasm-assemble
    `((type () ()) (function 0 () (nop) (i32.const 1) (drop) (unreachable)) (function 0 () (unreachable))
      (export "_start" function 0)
      (custom ".debug_line" ,@(u8vector->list section))))))

(define (lines-of image)
  (map (lambda (line) (cdr (vector->list line))) (image-lines image)))

;; Nothing is emitted for what comes before `unreachable`, so that is where a line begins.
(test-group "WebAssembly source lines"
  (test "of version 4" '(("lib/u.c" 9 3) ("(no source)" 1 0))
    (lines-of (module-with (unit 4 files-4 (program 1)))))
  (test "of version 5" '(("lib/u.c" 9 3) ("(no source)" 1 0))
    (lines-of (module-with (unit 5 files-5 (program 0)))))
  (test "of version 3" '(("lib/u.c" 9 3) ("(no source)" 1 0))
    (lines-of (module-with (unit 3 files-4 (program 1)))))
  (test "tell where a program stands" "lib/u.c"
    (let ((machine (make-machine)))
      (machine-load! machine (module-with (unit 4 files-4 (program 1))))
      (let ((stop (machine-run! machine)))
        (car (machine-line-at machine (stop-pc stop))))))
  (test "that make no sense are none" '(() () ())
    (map (lambda (section) (lines-of (module-with section)))
         (list (unit 9 files-4 (program 1)) (bytes (number 100) 4) (unit 5 (bytes 1 1 99 1 0) (program 0))))))
