(##namespace ("debugger/code#"
  instructions-before previous-instruction search-bytes instructions-naming code-end))
