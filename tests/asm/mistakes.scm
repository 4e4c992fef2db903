;; Broken sources with what is said of them, as one sees it: mistakes/NAME.s beside mistakes/NAME.txt.
(use scheme-lib/util)
(use scheme-lib/test)
(use asm/assembler)
(use asm/settings)

(define mistakes-folder (path-expand "mistakes/" tests-folder))

(define (with-ending name ending)
  (string-append (path-strip-extension name) ending))

(test-group "broken sources"
  (for-each
   (lambda (name)
     (test name
           (read-file-text (path-expand (with-ending name ".txt") mistakes-folder))
           (parameterize ((current-directory mistakes-folder))
             (errors-of (lambda () (asm-file name))))))
   (filter (lambda (name)
             (and (string-suffix? ".s" name)
                  (file-exists? (path-expand (with-ending name ".txt") mistakes-folder))))
           (sort (directory-files mistakes-folder) string<?))))

;; ---- warnings ----------------------------------------------------------------------------------------

;; Each as LINE:COLUMN message.
(define (warnings . source)
  (filter-map
   (lambda (line)
     (let ((at (string-contains line ": warning: ")))
       (and at (string-append (substring line 4 at) " " (substring line (+ at 11) (string-length line))))))
   (string-split (call-with-output-string ""
                   (lambda (port)
                     (parameterize ((current-error-port port)) (asm-string (apply lines source) name: "t.s"))))
                 #\newline)))

(test-group "warnings"
  (test "an empty source" '("1:1 the source makes no code and no data: its program would trap at once")
        (warnings "; nothing"))
  (test "also one with definitions only" '("1:1 the source makes no code and no data: its program would trap at once")
        (warnings "(define x 5)"))
  (test "a host call whose name is nearly a standard one"
        '("1:12 the host call `wirte` is none of the standard ones (did you mean `write`?)")
        (warnings "hcall r10, wirte" "halt"))
  (test "not another name, which the host may know" '() (warnings "hcall r10, paint" "halt"))
  (test "code that nothing reaches"
        '("2:1 nothing reaches this instruction: the `jump` before it never goes on to it, and no label stands between them")
        (warnings "1: jump 1b" "nop" "nop"))
  (test "not behind a label, data or a form" '()
        (warnings "1: jump 1b" "a: halt" ".byte 1" "ret" "(list nop)" "halt"))
  (test "shift counts beyond the width"
        '("1:1 the shift count is 64 or more: only its low 6 bits count"
          "2:1 the shift count is 32 or more: only its low 5 bits count"
          "3:1 the shift count is 64 or more: only its low 6 bits count")
        (warnings "shli r1, r300, 64" "shli32 r1, r2, 32" "shri_u r1, r2, 300" "shli r300, r300, 63" "shri32_s r1, r2, 3" "halt"))
  (test "local labels that nothing refers to"
        '("2:1 nothing refers to the label `.Lx`, which is visible only here"
          "3:1 nothing refers to the label `1`, which is visible only here")
        (warnings "a: nop" ".Lx: nop" "1: nop" "2: jump 2b"))
  (test "a list that lacks an operand, or has one too many, in a macro too"
        (list "2:9 `add` takes 3 operands, found 2: this list is no instruction, but numbers, each of which becomes bytes"
              "1:15 `imm` takes 2 operands, found 3: this list is no instruction, but numbers, each of which becomes bytes")
        (warnings "(define (bad) (list imm r1 2 3))" "_start: (list add r1 r2)" "(bad)" "halt"))
  (test "not numbers, parts of a longer list, other meanings of the name, and quoted lists" '()
        (warnings "(list 51 1 2)" "(append (list add r1) (list r2 r3))" "(let ((add 300)) (list add 1 2))"
                  "(let ((x '(list add r1))) '())" "(list halt nop)" "halt"))
  (test "can be made errors" "t.s:1:1: warning: the source makes no code and no data: its program would trap at once\n"
        (parameterize ((asm-warnings-as-errors #t)) (errors "")))
  (test "none in a machine that runs" "01" (u8vector->hex (asm "1: nop"))))
