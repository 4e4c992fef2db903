(##namespace ("repl/signals#"
  exit-when-output-closes!))
