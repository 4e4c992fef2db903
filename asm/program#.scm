;; asm/program: sources to programs.
(##namespace ("asm/program#"
  asm-file asm-string asm assemble-value assembly-bytes
  program? program-name program-sections program-symbols program-assembly program-for-each-line program-lines
  program-expansions program-views program-imports program-entry
  program-globals program-instructions program-passes
  program-section? program-section-name program-section-address program-section-bytes
  program-section-memory-length program-section-protection))
