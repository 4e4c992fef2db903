(##namespace ("repl/line-editor#"
  edit-line))
