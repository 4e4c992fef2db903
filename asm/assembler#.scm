;; asm/assembler: the assembler, in one library.
(##namespace ("asm/program#"
  asm-file asm-string asm
  program? program-name program-sections program-symbols program-lines program-expansions program-views program-imports program-entry
  program-globals program-instructions program-passes
  program-section? program-section-name program-section-address program-section-bytes
  program-section-memory-length program-section-protection))
(##namespace ("asm/image#" program-image program-write-image))
(##namespace ("asm/disassembly#" image->source))
(##namespace ("asm/listing#" program-listing program-write-listing))
(##namespace ("asm/define#" define-instruction! defined-instructions))
(##define-macro (define-instruction . form)
  (list 'asm/define#define-instruction! (list 'quote form)))
(##namespace ("asm/routine#" asm-routine!))
(##namespace ("asm/live#" asm-at! load-source! machine-define-instruction!))
(##namespace ("asm/diagnostic#"
  asm-error? asm-error-diagnostics asm-error-display asm-error->text
  asm-diagnostic? asm-diagnostic-file asm-diagnostic-line asm-diagnostic-column asm-diagnostic-message
  asm-diagnostic-notes asm-diagnostic-text asm-diagnostic-display))
