(##namespace ("repl/cli-files#"
  asm-options test-options
  one-file with-file with-file-or input-bytes write-output replace-output
  cli-asm cli-test))
