;; loaders/wasm/access: linear memory. Loading it defines the instructions.
(##namespace ("scheme-lib/loaders/wasm/access#" grow-routine check-range!))
