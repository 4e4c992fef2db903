;; asm/statement: a source after reading.
(##namespace ("asm/statement#"
  make-source source-file source-name source-statements source-diagnostics source-registers
  source-assigned source-miscounted
  make-source-file source-file-name source-file-line source-file-lines source-file-line-count
  source-file-includers source-file-chain
  make-statement statement-kind statement-file statement-line statement-column statement-head
  statement-operands statement-sizes statement-sizes-set! statement-section statement-section-set!
  statement-offset statement-offset-set!
  make-register register? register-letter register-number register->text
  make-real real? real-value real-written
  make-text-literal text-literal? text-literal-bytes text-literal->string
  make-name name? name-symbol name-line name-column
  make-form form? form-datum form-line form-column
  make-target target? target-address
  operand->text))
