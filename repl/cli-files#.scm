(##namespace ("repl/cli-files#"
  asm-options test-options
  cli-asm cli-disasm cli-test))
