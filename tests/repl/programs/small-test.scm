(test-group "arithmetic"
  (test "sums are commutative" (+ 2 1) (+ 1 2)))
