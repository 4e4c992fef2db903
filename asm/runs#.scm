;; asm/runs: instructions that are the same wherever they stand, many in one statement.
(##namespace ("asm/runs#"
  make-run-builder run-add! run-empty? run-full? run-take!
  for-each-in-run for-each-place instruction-of-run run->statements
  statement-weight))
