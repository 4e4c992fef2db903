;; loaders/wasm/variables: locals, globals, drop and select. Loading it defines the instructions.
(##namespace ("scheme-lib/loaders/wasm/variables#"))
