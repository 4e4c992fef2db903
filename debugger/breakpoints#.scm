(##namespace ("debugger/breakpoints#"
  breakpoint? breakpoint-id breakpoint-kind breakpoint-where breakpoint-address breakpoint-length breakpoint-access
  breakpoint-hits breakpoint-ignore breakpoint-ignore-set! breakpoint-temporary? breakpoint-enabled?
  breakpoint-condition breakpoint-actions breakpoint-actions-set! breakpoint-message
  add-breakpoint! breakpoint-add! watchpoint-add! breakpoint-at breakpoint-with-id breakpoint-condition-set-text!
  breakpoint-enable! breakpoint-disable! breakpoint-remove! breakpoints-clear! breakpoints-install!
  breakpoints-refresh!
  call-without-breakpoints run-armed! unobserved-run
  arrivals arrival-breakpoint arrival-detail count-hits! watched-bytes))
