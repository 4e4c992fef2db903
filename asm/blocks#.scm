;; asm/blocks: .if … .endif, .rept … .endr and .irp … .endr, as read.
(##namespace ("asm/blocks#"
  nest-blocks
  conditional? conditional-clauses conditional-chosen conditional-chosen-set!
  make-clause clause-test clause-body
  repetition? repetition-variable repetition-values repetition-body
  repetition-copies repetition-copies-set!
  copy-of-body forget-statements! for-each-statement))
