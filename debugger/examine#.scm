(##namespace ("debugger/examine#"
  examine!
  define-format! format-value format-names))
