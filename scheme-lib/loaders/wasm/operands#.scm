;; loaders/wasm/operands: variables that are on WebAssembly's operand stack only.
(##namespace ("scheme-lib/loaders/wasm/operands#"
  make-operand operand? operands-of known-place place-from
  make-operands operands-waiting? place-operands!))
