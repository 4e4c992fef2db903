(##namespace ("debugger/show#"
  say fresh-line columns
  number-text value-text grouped
  where-text instruction-line
  show-here show-pause pause-line
  show-instructions show-around
  activation-address current-address))
