(##namespace ("repl/report#"
  trap-report))
