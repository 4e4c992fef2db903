;; asm/passes: a source passed over until its layout settles.
(##namespace ("asm/passes#" assemble-statements asm-pass-limit))
