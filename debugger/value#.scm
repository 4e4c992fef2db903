(##namespace ("debugger/value#"
  word->value word->integer word->number word->predicate condition-registers set-place!
  evaluate-form evaluate-datum
  register-word? bracketed? printable-word?
  name-completions file-names))
