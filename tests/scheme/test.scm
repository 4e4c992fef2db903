;; The harness for programs' tests: running routines, generating inputs. What failures look like is in
;; tests/repl/tests.

(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/test-program)
(use scheme-lib/test-property)
(use scheme-lib/generator)
(use scheme-lib/machine)
(use asm/assembler)

(define source
  "_start: imm   r11, 1
           imm   r12, text
           imm   r13, 3
           hcall r10, write
           imm   r11, 4
           hcall r10, exit
   square: mul   r1, r1, r1
           ret
   length: mov   r2, r1
   1:      ldu8  r3, r2, 0
           beqi  r3, 0, 2f
           addi  r2, r2, 1
           jump  1b
   2:      sub   r1, r2, r1
           ret
   count:  imm   r2, counter
           ldu64 r1, r2
           addi  r1, r1, 1
           st64  r2, r1, 0
           ret
   divide: div_u r1, r1, r2
           ret
   leave:  halt
   again:  jump  again
           .data
   text:   .ascii \"abc\"
   counter: .quad 0
")

(define machine (make-machine))
(machine-load! machine (program-image (asm-string source name: "routines.s")))

(define (differences where . options)
  (map car (apply check-program machine where options)))

(test-group "a routine"
  (test-program "gets arguments and returns a result" machine 'square
    call: '(12) expect-result: 144 expect-registers: '((r1 . 144)) expect-count: 2 expect-count-at-most: 2)
  (test "called from Scheme gives its result" 144 (call-routine machine 'square 12))
  (test "is a procedure of Scheme" '(0 1 4 9) (map (machine-routine machine 'square) '(0 1 2 3)))
  (test "gets the address of a string, which a zero ends" 5 (call-routine machine 'length "hello"))
  (test "and of bytes" 2 (call-routine machine 'length '#u8(1 2 0)))
  (test "and that of a symbol, given by name" (machine-address machine 'text)
        (begin
          (machine-symbol-set! machine 'itself (machine-address machine 'again))
          (outcome-register (run-program machine 'leave call: '(text)) 'r1)))
  (test-error "but nothing else" "an argument of a routine is an integer, a symbol's name, a string or a u8vector, not"
              (call-routine machine 'square 1.5))
  (test "begins each time with the machine as it was" '(1 1 1)
        (map (lambda (n) (call-routine machine 'count)) '(1 2 3)))
  (test "leaves the machine as it was" (machine-hash machine)
        (begin (call-routine machine 'length "hello") (machine-hash machine)))
  (test "what it left in memory can be looked at" '#u8(1 0 0 0 0 0 0 0)
        (outcome-memory (run-program machine 'count) 'counter 8))
  (test-error "that traps says where" "divide did not return: trap divide at divide ("
              (call-routine machine 'divide 1 0))
  (test-error "that ends the program did not return" "leave did not return: halted with status 0 at leave"
              (call-routine machine 'leave)))

(test-group "a program"
  (test-program "has output and a status" machine #f expect-output: "abc" expect-status: 4)
  (test-program "may be expected to trap" machine 'divide call: '(1 0) expect-trap: 'divide)
  (test-program "finds its memory as the test says" machine 'count
    memory: '((counter . #u8(7))) expect-result: 8 expect-memory: '((counter . #u8(8 0))))
  (test "what differs is told, and where it stopped" '("r1" "stopped" "instruction" "registers")
        (differences 'square call: '(3) expect-result: 5))
  (test "a trap differs" #t (pair? (member "end" (differences 'divide))))
  (test "so does another trap" '("trap" "expected brk, found divide")
        (let ((first (car (check-program machine 'divide expect-trap: 'brk)))) (list (car first) (cdr first))))
  (test "and running without an end" '("end" . "expected halted, found out-of-fuel")
        (car (check-program machine 'again fuel: 100)))
  (test "and ending instead of returning" '("end" . "expected a return, found the program's end")
        (car (check-program machine 'leave call: '())))
  (test "and too many instructions" '("instructions" . "expected at most 1, found 2")
        (car (check-program machine 'square expect-count-at-most: 1))))

;; ---- generators --------------------------------------------------------------------------------------

(define (counterexample generators property #!optional (seed 1))
  (let ((found (find-counterexample generators property 200 seed "a test")))
    (and found (vector-ref found 0))))

(define (always good? generator)
  (not (counterexample (list generator) good?)))

(test-group "generators"
  (test-assert "integers stay in their range" (always (lambda (n) (<= -3 n 12)) (gen-integer -3 12)))
  (test-assert "one of 64 bits unless said otherwise" (always (lambda (n) (= n (s64 n))) (gen-integer)))
  (test-assert "edges are met" (not (always (lambda (n) (not (= n (- (expt 2 63) 1)))) (gen-integer))))
  (test-assert "registers hold 64 bits without a sign" (always (lambda (n) (= n (u64 n))) (gen-register)))
  (test-assert "bytes are bytes" (always (lambda (n) (<= 0 n 255)) (gen-byte)))
  (test-assert "lists have their lengths" (always (lambda (l) (<= 2 (length l) 5)) (gen-list (gen-boolean) 2 5)))
  (test-assert "strings and bytes too"
    (always (lambda (both) (and (<= 1 (string-length (car both)) 3) (<= (u8vector-length (cdr both)) 2)))
            (gen-map cons (gen-string 1 3) (gen-u8vector 0 2))))
  (test-assert "choices are among the choices"
    (always (lambda (x) (memq x '(a b c))) (gen-one-of (gen-choice 'a 'b) (gen-constant 'c))))
  (test-assert "one value decides on the next"
    (always (lambda (pair) (<= 0 (cdr pair) (car pair)))
            (gen-bind (gen-integer 0 50) (lambda (n) (gen-map (lambda (m) (cons n m)) (gen-integer 0 n))))))
  (test-assert "conditions hold" (always even? (gen-where even? (gen-integer))))
  (test "a sample shows some" 4 (length (gen-sample (gen-character) 4)))
  (test-error "outside of a test they give nothing" "a generator gives values only to test-property" ((gen-integer)))
  (test-error "a range has two ends" "gen-integer takes two integers, the smaller first" (gen-integer 2 1))
  (test-error "a list has lengths" "gen-list takes a generator, the least and the greatest length" (gen-list even? 2 1))
  (test-error "a choice is of something" "there is nothing to choose from" (gen-choice)))

(define (shrinks-to expected generator property)
  (equal? (list expected) (counterexample (list generator) property)))

(test-group "shrinking"
  (test-assert "finds the smallest number" (shrinks-to 1000 (gen-integer) (lambda (n) (< n 1000))))
  (test-assert "of those below 0 too" (shrinks-to -1000 (gen-integer) (lambda (n) (> n -1000))))
  (test-assert "prefers what is positive" (shrinks-to 30 (gen-integer) (lambda (n) (< (abs n) 30))))
  (test-assert "leaves out elements" (shrinks-to '(50) (gen-list (gen-integer 0 100)) (lambda (l) (< (apply + l) 50))))
  (test-assert "keeps what belongs together"
    (shrinks-to '(0 0) (gen-list (gen-integer)) (lambda (l) (equal? l (delete-duplicates l)))))
  (test-assert "goes through generators of one's own"
    (shrinks-to "bb" (gen-map (lambda (n) (make-string n #\b)) (gen-integer 0 60)) (lambda (s) (< (string-length s) 2))))
  (test-assert "an error is a failure" (shrinks-to '#u8(0) (gen-u8vector) (lambda (v) (for-each (lambda (n) (quotient 1 n)) (u8vector->list v)) #t)))
  (test "the same seed finds the same"
        (find-counterexample (list (gen-list (gen-integer))) null? 100 7 "x")
        (find-counterexample (list (gen-list (gen-integer))) null? 100 7 "x"))
  (test-error "what is given up too often is told" "0 of 200 inputs were tried, and 2001 do not apply: make generators that give what applies"
    (counterexample (list (gen-integer)) (lambda (n) (discard!)))))

(test-property "squaring in the machine is squaring" ((n (gen-register)))
  (= (u64 (* n n)) (call-routine machine 'square n)))
(test-property "lengths are lengths" ((s (gen-string 0 30)))
  count: 30
  (= (string-length s) (call-routine machine 'length s)))
