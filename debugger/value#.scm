(##namespace ("debugger/value#"
  word->value word->integer word->number word->predicate condition-registers
  evaluate-form evaluate-datum
  register-word? bracketed? printable-word?
  name-completions file-names))
