;; loaders/wasm/program: WebAssembly modules as programs.
(##namespace ("scheme-lib/loaders/wasm/program#" wasm->image))
