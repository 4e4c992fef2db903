;; loaders/wasm/text-format: modules in text, by wabt's wat2wasm.
(##namespace ("scheme-lib/loaders/wasm/text-format#" wasm-text? wasm-text->bytes))
