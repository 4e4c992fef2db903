;; loaders/wasm/errors: what is wrong with a module, and where.
(##namespace ("scheme-lib/loaders/wasm/errors#"
  wasm-error? wasm-error-kind wasm-error-offset wasm-error-why
  malformed invalid unlinkable trapped))
