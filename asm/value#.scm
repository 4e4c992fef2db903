;; asm/value: what Scheme hands to the assembler, and what a statement makes of its operands.
(##namespace ("asm/value#"
  make-relocation relocation? relocation-thunk relocation-size
  make-label-marker label-marker? label-marker-name
  ->label-name eval-form emit-value! emit-instruction! emit-text-instruction! resolve-number operand-place! emit-sized! emit-deferred-directive!
  set-directive-runner!))
