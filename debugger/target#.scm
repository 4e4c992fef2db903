(##namespace ("debugger/target#"
  target-pc target-pc-set! target-window target-depth target-count target-space target-restore!
  target-register target-register-set! target-registers
  target-activation target-activations
  target-peek target-read target-read-prefix target-write!
  target-regions
  target-instruction
  target-breakpoint-set! target-breakpoint-clear!
  target-watchpoint-set! target-watchpoint-clear!
  instruction-address instruction-length instruction-text instruction-name instruction-operands
  instruction-fields instruction-target))
