(##namespace ("repl/terminal#"
  terminal-setup!
  terminal-input
  terminal-output
  terminal-interactive?
  terminal-editable?
  terminal-width
  terminal-write
  call-with-keys
  read-key
  read-input-line
  read-input-bytes
  suspend-process))
