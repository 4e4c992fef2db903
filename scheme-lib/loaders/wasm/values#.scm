;; loaders/wasm/values: WebAssembly's values as Scheme's, and as bits.
(##namespace ("scheme-lib/loaders/wasm/values#" value->bits bits->value make-reference-table))
