;; loaders/wasm/cursor: reads the binary format's numbers and names.
(##namespace ("scheme-lib/loaders/wasm/cursor#"
  make-cursor cursor-left cursor-part
  read-byte! read-u32! read-s32! read-s33! read-s64! read-bits! read-name! skip-bytes! read-zero!))
(use scheme-lib/fields)
(define-fields cursor bytes at end)
