(##namespace ("repl/init#"
  load-init-files!))
