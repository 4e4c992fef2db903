;; loaders/wasm/wast: what wast2json writes, run.
(##namespace ("scheme-lib/loaders/wasm/wast#" wast-run))
