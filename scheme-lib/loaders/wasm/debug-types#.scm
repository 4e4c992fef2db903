;; loaders/wasm/debug-types: a C program's types as views.
(##namespace ("scheme-lib/loaders/wasm/debug-types#" make-types type-view types-views view-in-register? view-word))
