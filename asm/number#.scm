;; asm/number: numbers as bytes.
(##namespace ("asm/number#"
  uleb128-length uleb128-put! uleb128-bytes sleb128-bytes zigzag unsigned-64 signed-64
  put-integer! byte-swap real->bits
  integer-64? exact-integer?))
