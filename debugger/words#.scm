(##namespace ("debugger/words#"
  words
  words-complete?
  word-before))
