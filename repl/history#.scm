(##namespace ("repl/history#"
  history-file
  history-load!
  history-add!
  history-entry
  history-length))
