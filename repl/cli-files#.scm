(##namespace ("repl/cli-files#"
  asm-options disasm-options test-options
  cli-asm cli-disasm cli-test))
