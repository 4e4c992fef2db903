(##namespace ("debugger/show#"
  say fresh-line trimmed-right columns show-style
  number-text value-text mapped?
  where-text macro-texts macros-within instruction-line
  show-here show-pause pause-line standing-text trap-text at-each-stop!
  show-instructions show-around
  activation-address current-address))
