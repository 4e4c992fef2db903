;; Tests that fail, each in its way: what is said of them is the golden file beside.
(use scheme-lib/test)
(use scheme-lib/test-program)
(use scheme-lib/test-property)
(use scheme-lib/generator)
(use scheme-lib/machine)
(use asm/assembler)

(define machine (make-machine))
(load-source! machine "tests/repl/programs/trap.s")

(test-group "values"
  (test "passes" 3 (+ 1 2))
  (test "differs # and \"more\"" 4 (+ 1 2))
  (test-assert "is not true" (< 2 1))
  (test-error "raises nothing" "some text" (+ 1 2))
  (test "raises" 1 (car '())))

(test-group "programs"
  (test-program "traps" machine 'divide registers: '((r1 . 100)) expect-result: 5)
  (test-program "gives something else" machine 'divide call: '(42 6)
    expect-registers: '((r3 . 8)) expect-output: "seven\n" expect-count: 9))

(test-property "numbers are small" ((n (gen-integer)) (unused (gen-boolean)))
  (< n 100))

(test-group "a group"
  (error "that ends early" 1 2))
