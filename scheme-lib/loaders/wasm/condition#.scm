;; loaders/wasm/condition: comparisons become branches.
(##namespace ("scheme-lib/loaders/wasm/condition#" invert-last! branch-when!))
