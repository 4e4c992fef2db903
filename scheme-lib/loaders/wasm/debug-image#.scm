;; loaders/wasm/debug-image: what an image tells of a C program's variables.
(##namespace ("scheme-lib/loaders/wasm/debug-image#" module-variables note-boundaries! add-variables!))
