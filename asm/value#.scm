;; asm/value: what Scheme hands to the assembler, and what a statement makes of its operands.
(##namespace ("asm/value#"
  make-relocation relocation? relocation-thunk relocation-size
  make-label-marker label-marker? label-marker-name
  ->label-name eval-form emit-value! emit-defined! emit-text-instruction! find-entry resolve-number name-variable operand-place!
  emit-sized! emit-deferred-directive!
  set-directive-runner!))
