;; loaders/wasm/numeric: WebAssembly's arithmetic. Loading it defines the instructions.
(##namespace ("scheme-lib/loaders/wasm/numeric#"))
