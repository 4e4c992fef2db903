;; loaders/wasm/tables: tables and references. Loading it defines the instructions.
(##namespace ("scheme-lib/loaders/wasm/tables#"))
