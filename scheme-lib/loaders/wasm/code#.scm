;; loaders/wasm/code: Comet instructions into bytes, with labels.
(##namespace ("scheme-lib/loaders/wasm/code#"
  make-code code-at opcode
  emit! emit-constant! branch! flush! emit-bytes! emit-label-word! emit-label-address!
  make-label label-used? bind-label! label-address
  take-pending! last-writes? retarget!))
(##namespace ("scheme-lib/leb128#" zigzag unzigzag))
(use scheme-lib/fields)
(define-fields code base limit bytes length live? op a b c line lines)
