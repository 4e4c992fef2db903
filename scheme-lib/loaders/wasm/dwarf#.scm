;; loaders/wasm/dwarf: source lines of a module.
(##namespace ("scheme-lib/loaders/wasm/dwarf#" module-rows rows-with read-form! read-string! no-source row-offset row-file row-line row-column))
