;; How the fuzzers cut what they damage.
(use scheme-lib/util)

;; Bytes with some of them, fewer than `longest`, changed by chance: (change before here behind) gives what stands in
;; their place, a list of u8vectors.
(define (mutation bytes longest random change)
  (let* ((n (u8vector-length bytes))
         (at (random (+ n 1)))
         (end (min n (+ at (random longest)))))
    (u8vector-concatenate (change (subu8vector bytes 0 at) (subu8vector bytes at end) (subu8vector bytes end n)))))
