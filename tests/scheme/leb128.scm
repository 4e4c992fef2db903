(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/leb128)

(test-group "numbers of variable length"
  (test "unsigned" '("00" "7f" "8001" "ac02" "ffffffffffffffffff01")
    (map (lambda (n) (u8vector->hex (uleb128-bytes n))) (list 0 127 128 300 (- (expt 2 64) 1))))
  (test "signed" '("00" "3f" "c000" "7f" "40" "bf7f")
    (map (lambda (n) (u8vector->hex (sleb128-bytes n))) '(0 63 64 -1 -64 -65)))
  (test "zig-zag, there and back" '(0 1 2 3 4) (map zigzag '(0 -1 1 -2 2)))
  (let ((ends (list 0 1 -1 (- (expt 2 63)) (- (expt 2 63) 1) (expt 2 80) (- (expt 2 80)))))
    (test "of any size" ends (map (lambda (n) (unzigzag (zigzag n))) ends)))
  (test "the length is that of the bytes" #t
    (every (lambda (n) (= (uleb128-length n) (u8vector-length (uleb128-bytes n))))
           (list 0 127 128 16383 16384 (- (expt 2 61) 1) (expt 2 61) (expt 2 63))))
  (test "longer than need be" '(4 "85808000")
    (let ((bytes (make-u8vector 4)))
      (let ((end (uleb128-put! bytes 0 5 4))) (list end (u8vector->hex bytes))))))
