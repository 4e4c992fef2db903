(##namespace ("repl/repl#"
  start-repl
  quit))
