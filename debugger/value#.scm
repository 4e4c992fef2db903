(##namespace ("debugger/value#"
  word->value word->integer word->number word->predicate condition-registers set-place! new-value view-ref view-put!
  evaluate-form evaluate-datum
  register-word? bracketed? printable-word? names-memory?
  name-completions file-names))
