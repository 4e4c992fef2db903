(##namespace ("repl/completion#"
  complete))
