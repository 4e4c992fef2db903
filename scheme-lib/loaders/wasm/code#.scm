;; loaders/wasm/code: Comet instructions into bytes, with labels.
(##namespace ("scheme-lib/loaders/wasm/code#"
  make-code code-line-set! code-lines code-at code-bytes code-live? code-live?-set! code-base opcode
  emit! emit-constant! branch! flush! emit-bytes! emit-label-word! emit-label-address!
  make-label label-used? bind-label! label-address
  code-op code-a code-b code-c take-pending! last-writes? retarget!))
(##namespace ("scheme-lib/leb128#" zigzag unzigzag))
