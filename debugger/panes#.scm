(##namespace ("debugger/panes#"
  row-place row-segments plain-text
  source-rows code-rows register-rows activation-rows displayed-rows memory-rows timeline-segments))
