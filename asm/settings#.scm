;; asm/settings: what a run of the assembler is told from outside.
(##namespace ("asm/settings#" asm-include-path asm-definitions asm-warnings-as-errors definition-of-word))
