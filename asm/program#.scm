;; asm/program: sources to programs.
(##namespace ("asm/program#"
  asm-file asm-string asm read-source-file assemble-whole make-program-of find-entry sections-with-room
  program-base statement-makes-code? assemble-value assembly-bytes source-line-list
  make-program program? program-name program-sections program-symbols program-lines program-imports program-entry
  program-globals program-passes
  make-program-section program-section? program-section-name program-section-address program-section-bytes
  program-section-memory-length program-section-protection))
