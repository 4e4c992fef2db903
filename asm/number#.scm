;; asm/number: numbers as bytes.
(##namespace ("asm/number#"
  unsigned-64 signed-64
  put-integer! byte-swap real->bits
  integer-64? exact-integer?))
