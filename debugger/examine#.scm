(##namespace ("debugger/examine#"
  examine! expression-lines displayed-lines word->format
  define-format! format-value format-names))
