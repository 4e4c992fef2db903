;; asm/diagnostic: what went wrong, and where.
(##namespace ("asm/diagnostic#"
  asm-error? make-asm-error asm-error-diagnostics asm-error-display asm-error->text
  asm-diagnostic? make-asm-diagnostic asm-diagnostic-file asm-diagnostic-line asm-diagnostic-column
  asm-diagnostic-message asm-diagnostic-notes asm-diagnostic-text asm-diagnostic-severity
  asm-diagnostic-display
  asm-diagnostic-limit
  make-problem problem? problem-message problem-notes problem-line problem-column problem-kind
  fail fail-at problem-add-notes problem-move place->text))
