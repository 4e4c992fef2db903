;; asm/binary: what is in objects, archives and images.
(##namespace ("asm/binary#"
  read-binary bytes->binary
  binary-kind binary-name binary-content binary-members binary-source?
  binary-entry binary-imports binary-sections binary-symbols binary-relocations binary-lines
  binary-instructions binary-sizes binary-strip binary->bytes
  view-section-name view-section-address view-section-bytes view-section-memory-length view-section-protection
  view-section-keep? view-section-executable?
  view-symbol-name view-symbol-value view-symbol-section view-symbol-binding view-symbol-letter
  relocation-section relocation-offset relocation-length relocation-kind relocation-value
  view-line-section view-line-address view-line-file view-line-line view-line-column
  instruction-address instruction-bytes instruction-text))
