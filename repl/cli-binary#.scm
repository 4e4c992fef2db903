(##namespace ("repl/cli-binary#"
  disasm-options objdump-options nm-options strip-options ar-options
  cli-disasm cli-objdump cli-nm cli-size cli-strip cli-ar))
