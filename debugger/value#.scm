(##namespace ("debugger/value#"
  word->value word->integer word->number set-place!
  evaluate-form evaluate-datum
  register-word? bracketed? printable-word?
  name-completions file-names))
