(##namespace ("repl/repl#"
  start-repl
  import-libraries!
  quit))
