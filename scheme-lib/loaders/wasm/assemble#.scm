;; scheme-lib/loaders/wasm/assemble: WebAssembly modules from lists.
(##namespace ("scheme-lib/loaders/wasm/assemble#"
  wasm-assemble wasm-section wasm-opcodes))
