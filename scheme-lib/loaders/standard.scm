;; All loaders that need no assembler, in one library; those of sources and objects are in asm/loaders.
;;
;;   (use scheme-lib/loaders/standard)
;;   (->image "rom.hex")

(module scheme-lib/loaders/standard)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/state)
(use scheme-lib/loaders/intel-hex)
(use scheme-lib/loaders/s-records)
(use scheme-lib/loaders/raw)
(use scheme-lib/loaders/simple-vm/loader)
(use scheme-lib/loaders/wasm/program)
