;; asm/program: sources to programs.
(##namespace ("asm/program#"
  asm-file asm-string asm-bytes asm read-source-file assemble-whole make-program-of default-entry sections-with-room
  program-base assemble-value assembly-bytes
  make-program program? program-name program-sections program-symbols program-assembly program-for-each-line program-lines program-source-length
  program-expansions program-views program-imports program-entry
  program-globals program-instructions program-passes
  make-program-section program-section? program-section-name program-section-address program-section-bytes
  program-section-memory-length program-section-protection))
