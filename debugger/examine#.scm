(##namespace ("debugger/examine#"
  examine! expression-lines word->format
  define-format! format-value format-names))
