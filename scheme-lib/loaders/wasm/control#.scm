;; loaders/wasm/control: blocks, branches and calls. Loading it defines the instructions.
(##namespace ("scheme-lib/loaders/wasm/control#" begin-function!))
