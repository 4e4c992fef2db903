;; loaders/wasm/data-symbols: the variables of a C program that have an address.
(##namespace ("scheme-lib/loaders/wasm/data-symbols#" module-data-symbols))
