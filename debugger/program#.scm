(##namespace ("debugger/program#"
  make-loaded loaded? loaded-path loaded-name loaded-image loaded-entry
  read-program
  all-symbols symbol-value program-names
  symbol-at
  line-at place-file place-line source-path source-text file-lines prompt-file
  address-text))
