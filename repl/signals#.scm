(##namespace ("repl/signals#"
  exit-when-output-closes! restore-terminal-on-signals! leave-signals!))
