(##namespace ("debugger/breakpoints#"
  breakpoint? breakpoint-id breakpoint-address breakpoint-where breakpoint-hits breakpoint-hits-set!
  watchpoint? watchpoint-id watchpoint-number watchpoint-address watchpoint-length watchpoint-access
  watchpoint-where watchpoint-old watchpoint-old-set! watchpoint-value watchpoint-hits watchpoint-hits-set!
  breakpoint-at breakpoint-add! breakpoint-remove!
  watchpoint-with-number watchpoint-add! watchpoint-remove! watchpoints-refresh!
  call-without-stopping-places stopping-place-remove! stopping-places-clear! stopping-places-install!))
