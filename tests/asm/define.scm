;; Instructions that users define: in a source, by a library, at the REPL, for one machine.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/machine)
(use scheme-lib/image)
(use asm/assembler)

(define element
  (lines "(define-instruction (element (to d) (base s) (index s))"
         "  \"R[a] := M64[R[b] + 8 * R[c]]\""
         "  (shli to index 3)"
         "  (add to base to)"
         "  (ldu64 to to))"))

(define table-program
  (string-append element
                 (lines "_start: imm r6, table" "imm r7, 2" "element r5, r6, r7"
                        "(list 'element r8 r6 0)" "halt" ".data" "table: .quad 10, 20, 30")))

(define (run-program source)
  (let ((machine (make-machine)))
    (machine-load! machine (program-image (asm-string source name: "t.s")))
    (list (machine-run! machine) machine)))

(test-group "a definition in a source"
  (test "gives a mnemonic an opcode of its own" (bytes "ae61 05 06 07")
        (code (string-append element "element r5, r6, r7")))
  (test "runs as one instruction" '(30 10 5)
        (let* ((result (run-program table-program)) (machine (cadr result)))
          (list (machine-register machine 'r5) (machine-register machine 'r8) (stop-executed (car result)))))
  (test "goes with the image, its meaning too" '(element "dss" "R[a] := M64[R[b] + 8 * R[c]]" "shli a, c, 3; add a, b, a; ldu64 a, a, 0")
        (let ((row (car (image-definitions (program-image (asm-string table-program))))))
          (map (lambda (n) (vector-ref row n)) '(0 2 3 5))))
  (test "is disassembled" "element r5, r6, r7"
        (let ((machine (cadr (run-program table-program))))
          (caddr (caddr (machine-disassemble machine "_start" 3)))))
  (test "is shown in listings, where a macro makes it too" #t
        (let ((listing (program-listing (asm-string table-program name: "t.s"))))
          (and (string-contains listing "element r5, r6, r7") (string-contains listing "element r8, r6, r0") #t)))
  (test "has a line of its own in the line table" #t
        (let ((lines (program-lines (asm-string table-program name: "t.s"))))
          (any (lambda (line) (= 8 (vector-ref line 2))) lines)))
  (test "has the same opcode in every program" #t
        (equal? (code (string-append element "element r1, r2, r3"))
                (code (string-append "(define-instruction (other) (nop))\n" element "element r1, r2, r3"))))
  (test "may say its opcode" (bytes "d00f 05")
        (code (lines "(define-instruction (one (x d)) opcode: 2000 (imm x 1))" "one r5")))
  (test "may take another's constants: registers, numbers, reals, thread registers" '("d" "imm r9, 7; tset t3, r9; fimm a, 1.5; addi a, a, -4")
        (let ((row (car (image-definitions
                         (program-image
                          (asm-string (lines "(define-instruction (mix (x d)) (imm r9 7) (tset t3 r9) (fimm x 1.5) (addi x x -4))"
                                             "mix r1")))))))
          (list (vector-ref row 2) (vector-ref row 5))))
  (test "can be made by Scheme" 52
        (machine-register
         (cadr (run-program (lines "(define-instruction! (list '(twice (x x)) '(add x x x) (list 'addi 'x 'x (* 2 21))))"
                                   "imm r1, 5" "twice r1" "halt")))
         'r1))
  (test "may branch, at its end" 55
        (let ((machine (cadr (run-program (lines "(define-instruction (loop (n x) (to p)) (addi n n -1) (bnei n 0 to))"
                                                 "imm r1, 10" "again: add r2, r2, r1" "loop r1, again" "halt")))))
          (machine-register machine 'r2))))

(test-group "a definition, disassembled to a source"
  (test "is the same once more" #t
        (let* ((image (program-image
                       (asm-string (string-append
                                    table-program
                                    (lines ".text"
                                           "(define-instruction (few (x d) (n i -8 8) (m n 1 3)) \"a \\\"few\\\" \" (imm r9 0) (addi x r9 n) (simm x m))"
                                           "(define-instruction (reals (x d)) (fimm x 1.5) (fimm x (bits 0x7ff0000000000001)) (fimm32 x -0.0) (tset t3 x))"
                                           "(define-instruction (to-there (n x) (to p)) (addi n n -1) (bnei n 0 to))"
                                           "few r1, -3, 2" "back: reals r5" "to-there r3, back")))))
               (again (program-image (asm-string (image->source image) name: "again.s"))))
          (and (equal? (image-definitions image) (image-definitions again))
               (equal? (image-sections image) (image-sections again))
               (string-contains (image->source image) "to-there r3, back")
               #t))))

(test-group "a definition that cannot be"
  (for-each
   (lambda (wrong)
     (test (car wrong) (list (cadr wrong)) (messages (string-append (car wrong) "\n"))))
   '(("(define-instruction foo)"
      "1:1 an instruction is defined as (define-instruction (name (operand kind) …) \"meaning\" (mnemonic operand …) …)")
     ("(define-instruction (foo (x)) (imm x 4))"
      "1:1 an operand of `foo` is written (name kind) or (name kind low high), as in (count u 1 64), found (x)")
     ("(define-instruction (foo (x d) (x d)) (imm x 4))" "1:1 the instruction `foo` has two operands `x`")
     ("(define-instruction (foo (x d)) opcode: 12 (imm x 1))"
      "1:1 the opcode of `foo` must be a number from 1024 on, found the number 12")
     ("(define-instruction (foo) 3)" "1:1 a part of `foo` is a list such as (add a b c), found 3")
     ("(define-instruction (foo (x d)) (foo x))"
      "1:1 `foo` cannot be a part of `foo`: definitions are made of the table's instructions")
     ("(define-instruction (foo (x d) (y s)) (mox x y))"
      "1:1 there is no instruction `mox` for `foo` (did you mean `mov`?)")
     ("(define-instruction (foo) (imm r1 1 2))" "1:1 `imm` takes 2 operands, found 3 in (imm r1 1 2)")
     ("(define-instruction (foo (count d)) (imm cuont 1))" "1:1 `cuont` is no operand of `foo` (did you mean `count`?)")
     ("(define-instruction (foo (x p)) (jump 4))" "1:1 `jump` within `foo` needs an operand for its address, not a constant")
     ("(define-instruction (foo (x w)) (hcall x 0))"
      "1:1 `hcall` within `foo` needs an operand for its host call, not a constant")
     ("(define-instruction (foo (x d)) (imm x r1))" "1:1 `imm` expects an unsigned number or an address, found the register r1")
     ("(define-instruction (foo (x d) (y u)) (mov x y))"
      "1:1 the instruction `foo` cannot be defined: part 1 (mov) needs an operand of kind s, and b is of kind u")
     ("(define-instruction (add (x d)) (imm x 1))"
      "1:1 the instruction `add` cannot be defined: the table has an instruction of this name, opcode 51")
     ("(define-instruction (foo) (nop))\n(define-instruction (foo) (nop))"
      "2:1 the instruction `foo` is defined already, or was used before it was defined")))
  (test "names its operands" '("its operands are a: to, b: n")
        (filter (lambda (note) (string-prefix? "its" note))
                (notes "(define-instruction (foo (to d) (n u)) (mov to n))"))))

(test-group "operands of a definition"
  (for-each
   (lambda (wrong) (test (car wrong) (list (cadr wrong)) (messages (string-append element (car wrong)))))
   '(("element r1, r2" "6:1 `element` takes 3 operands, found 2")
     ("element r1, r2, 5" "6:17 `element` expects a register (read), found the number 5")
     ("element r1, r2," "6:15 expected an operand behind the comma, found the end of the line")
     ("element r1, r2, .5.5" "6:17 malformed number `.5.5`: expected decimal digits, 0x, 0o or 0b, or a real number such as 2.5e-3")
     ("elemnt r1, r2, r3" "6:1 there is no instruction `elemnt` (did you mean `element`?)")
     ("(list 'elemnt 1 2 3)" "6:1 there is no instruction `elemnt` in the list (elemnt 1 2 3) (did you mean `element`?)")
     ("element r5, r5, r7" "6:1 element: operands a and b must be different registers, for one is read behind a write to the other")
     ("element r0, r5, r7" "6:1 element: operand a must not be r0, which its parts use meanwhile")))
  (test "may have a range" '("2:1 few: operand b must be 1 to 8")
        (messages (lines "(define-instruction (few (x d) (n u 1 8)) (imm x n))" "few r1, 9" "few r1, 8" "few r1, 1")))
  (test "may have a range where numbers are signed or used negated" '("2:1 few: operand b must be -8 to 8" "3:1 few: operand c must be 1 to 3")
        (messages (lines "(define-instruction (few (x d) (n i -8 8) (m n 1 3)) (imm r9 0) (addi x r9 n) (simm x m))"
                         "few r1, -9, 1" "few r1, -8, 4" "few r1, 8, 3")))
  (test "a mistake elsewhere does not make a definition unknown" '("1:5 expected an operand, found `[`: an address is written `base, offset`")
        (messages (lines "add [" "(define-instruction (one (x d)) (imm x 1))" "one r1"))))

;; For every assembly from here on.
(define-instruction (test-inc (x x) (n i -8 8)) "R[a] := R[a] + b" (addi x x n))

(define (mapped-machine)
  (let ((machine (make-machine)))
    (machine-map! machine #x10000 65536 'rwx)
    machine))

(define (run-there machine code)
  (asm-at! machine #x10000 code)
  (machine-pc-set! machine #x10000)
  (machine-run! machine)
  (machine-register machine 'r5))

(define (refusal thunk)
  (with-exception-catcher exception->text thunk))

(test-group "a definition by a library or at the REPL"
  (test "is known to every assembly" #t
        (let ((bytes (asm '((test-inc r1 2) (test-inc r2 -3)))))
          (and (= 8 (u8vector-length bytes)) (equal? bytes (asm "test-inc r1, 2\n test-inc r2, -3")))))
  (test "is listed" '(test-inc "xi" "R[a] := R[a] + b")
        (let ((row (assq 'test-inc (defined-instructions)))) (list (car row) (caddr row) (cadddr row))))
  (test "goes into a program only if that uses it" '(0 1)
        (map (lambda (source) (length (program-instructions (asm-string source)))) '("nop" "test-inc r1, 1")))
  (test "goes into the machine that code is assembled into" '(5 (test-inc))
        (let ((machine (mapped-machine)))
          (list (run-there machine "test-inc r5, 8\n test-inc r5, -3\n halt")
                (map (lambda (row) (vector-ref row 0)) (machine-definitions machine)))))
  (test "can be replaced, and then means another thing there" '(2 20)
        (let ((machine (mapped-machine)))
          (define-instruction (test-more (x x)) (addi x x 2))
          (let ((first (run-there machine "test-more r5\n halt")))
            (define-instruction (test-more (x x)) (addi x x 18))
            (list first (run-there machine "test-more r5\n halt")))))
  (test "with other operands is another one" #t
        (let ((machine (mapped-machine)))
          (define-instruction (test-other (x x)) (addi x x 2))
          (run-there machine "test-other r5\n halt")
          (define-instruction (test-other (x d) (n u)) (imm x n))
          (and (string-contains (refusal (lambda () (run-there machine "test-other r5, 9")))
                                "whose operands are of the kinds `x`")
               #t)))
  (test "is refused as in a source" "`y` is no operand of `test-bad`"
        (refusal (lambda () (define-instruction (test-bad (x d)) (imm x y)))))
  (test "is refused by the machine, with its operands' names" "needs an operand of kind s, and b is of kind u; its operands are a: to, b: n"
        (let ((message (refusal (lambda () (define-instruction (test-bad (to d) (n u)) (mov to n))))))
          (substring message (string-contains message "needs") (string-length message)))))

(test-group "an instruction, for one machine,"
  (test "can mean another thing" '(42 1 42 0)
        (let ((one (mapped-machine)) (other (mapped-machine)))
          (machine-define-instruction! one '((mul (to d) (x s) (y s)) (mul to x y) (addi r60 r60 1)))
          (apply append
                 (map (lambda (machine)
                        (let ((r5 (run-there machine "imm r6, 6\n imm r7, 7\n mul r5, r6, r7\n halt")))
                          (list r5 (machine-register machine 'r60))))
                      (list one other)))))
  (test "keeps its operands" "opcode 53 is that of `mul`, which keeps its name and the kinds of its operands, dss"
        (let ((message (refusal (lambda () (machine-define-instruction! (make-machine) '((mul (x d)) (imm x 1)))))))
          (substring message (string-contains message "opcode") (string-length message))))
  (test "can be counted" '(3 halted)
        (let ((machine (mapped-machine)))
          (machine-redefine! machine 'addi 'counted)
          (run-there machine "imm r5, 3\n loop: addi r5, r5, -1\n bnei r5, 0, loop\n halt")
          (list (machine-executed machine 'addi) (stop-reason (machine-run! machine)))))
  (test "can be forbidden" '(trap illegal 65538 0)
        (let ((machine (mapped-machine)))
          (machine-redefine! machine 'addi 'forbidden)
          (asm-at! machine #x10000 "imm r4, 3\n addi r5, r4, -1\n halt")
          (machine-pc-set! machine #x10000)
          (let ((stop (machine-run! machine)))
            (list (stop-reason stop) (stop-trap stop) (- (stop-pc stop) 1) (machine-register machine 'r5)))))
  (test "can be traced by a procedure, once each time" '((3 2 1) (3 2 1))
        (map (lambda (fuel)
               (let ((machine (mapped-machine)) (seen '()))
                 (machine-redefine! machine 'addi
                                    (lambda (machine) (set! seen (cons (machine-register machine 'r5) seen))))
                 (asm-at! machine #x10000 "imm r5, 3\n loop: addi r5, r5, -1\n bnei r5, 0, loop\n halt")
                 (machine-pc-set! machine #x10000)
                 (let loop ()
                   (if (eq? 'out-of-fuel (stop-reason (machine-run! machine fuel))) (loop)))
                 (reverse seen)))
             '(1 1000)))
  (test "goes back to what it was" 0
        (let ((machine (mapped-machine)))
          (machine-redefine! machine 'addi 'counted)
          (machine-redefine! machine 'addi 'ordinary)
          (run-there machine "imm r5, 3\n addi r5, r5, -1\n halt")
          (machine-executed machine 'addi)))
  (test "must be one" "the machine has no instruction mull (did you mean `mul` or `muli`?)"
        (refusal (lambda () (machine-redefine! (make-machine) 'mull 'counted))))
  (test "is named by a symbol" "the machine has no instruction \"mul\": a mnemonic is a symbol, such as 'mul"
        (refusal (lambda () (machine-redefine! (make-machine) "mul" 'counted))))
  (test "is redefined in one of four ways" "an instruction can be redefined as counted, forbidden, ordinary or by a procedure, not as slow"
        (refusal (lambda () (machine-redefine! (make-machine) 'mul 'slow)))))
