(##namespace ("repl/cli-files#"
  asm-options
  cli-asm cli-disasm cli-test))
