(##namespace ("repl/cli#"
  cli-main))
