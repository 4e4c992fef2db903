;; asm/origin: where in a source's Scheme something was made.
(##namespace ("asm/origin#"
  new-origins origins-note! origins-of origin-places origin-macros keep-calls
  make-place place? place-macro place-file place-line place-column place->note))
