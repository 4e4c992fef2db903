;; asm/origin: where in a source's Scheme something was made.
(##namespace ("asm/origin#"
  make-origins origins-note! origins-of continuation->places keep-calls
  place? place-macro place-file place-line place-column place->note))
