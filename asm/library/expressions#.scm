;; asm/library/expressions: a compiler of arithmetic.
(##namespace ("asm/library/expressions#" compile-expression))
(##define-syntax $compute (lambda (source) (asm/library/expressions#expand-compute source)))
