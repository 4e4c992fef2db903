(##namespace ("debugger/show#"
  say fresh-line columns show-style
  number-text value-text grouped mapped?
  where-text macro-texts instruction-line
  show-here show-pause pause-line at-each-stop!
  show-instructions show-around
  activation-address current-address))
