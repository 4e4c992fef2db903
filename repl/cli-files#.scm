(##namespace ("repl/cli-files#"
  asm-options disasm-options
  cli-asm cli-disasm cli-test))
