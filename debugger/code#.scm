(##namespace ("debugger/code#"
  previous-instruction search-bytes instructions-naming code-end))
