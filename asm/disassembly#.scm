;; asm/disassembly: images back to sources.
(##namespace ("asm/disassembly#"
  image->source
  label-name? plain-host-name? quoted number-text bytes-text statement-text operand-text write-view))
