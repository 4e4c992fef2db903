(##namespace ("repl/cli-files#"
  asm-options disasm-options test-options
  with-file write-output
  cli-asm cli-disasm cli-test))
