(##namespace ("debugger/search#" last-stop-before call-and-come-back call-interruptibly-outside last-events-before observe-span
  touches?))
