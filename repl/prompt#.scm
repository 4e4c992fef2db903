(##namespace ("repl/prompt#"
  prompt-text
  continuation-prompt))
