;; loaders/wasm/wasi: WASI preview 1 over the standard host calls.
(##namespace ("scheme-lib/loaders/wasm/wasi#" system-function))
