(##namespace ("repl/terminal#"
  terminal-setup!
  terminal-input
  terminal-output
  terminal-interactive?
  terminal-editable?
  terminal-colours?
  terminal-width
  terminal-height
  terminal-write
  call-with-keys
  call-with-silent-keys
  read-key
  read-key-within
  read-input-line
  read-input-bytes
  suspend-process))
