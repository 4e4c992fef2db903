(##namespace ("repl/cli-files#"
  asm-options
  with-file write-output
  cli-asm cli-disasm cli-test))
