;; loaders/wasm/routine: routines in Comet instructions, written as lists.
(##namespace ("scheme-lib/loaders/wasm/routine#" emit-routine!))
