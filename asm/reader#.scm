;; asm/reader: text to statements.
(##namespace ("asm/reader#" read-source read-source-bytes register-symbol operand-columns))
