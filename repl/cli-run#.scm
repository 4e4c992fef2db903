(##namespace ("repl/cli-run#"
  run-options debug-options
  cli-run cli-debug))
