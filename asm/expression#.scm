;; asm/expression: values that only the linker knows.
(##namespace ("asm/expression#"
  expression? expression-operator expression-arguments
  symbol-reference host-reference fixed-number make-sum make-operation
  expression-operators expression-value expression-symbols expression-with-keys expression->text
  arithmetic-bindings comparison
  expression-size-limit bits-limit))
