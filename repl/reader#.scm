(##namespace ("repl/reader#"
  read-entry))
