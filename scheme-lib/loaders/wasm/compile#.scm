;; loaders/wasm/compile: a module into an image.
(##namespace ("scheme-lib/loaders/wasm/compile#" wasm-compile
  program-image program-layout program-start constant-bits))
