;; tests/wasm/assemble: WebAssembly modules from lists.
(##namespace ("tests/wasm/assemble#" wasm-assemble wasm-code wasm-name wasm-leb wasm-section wasm-opcodes))
