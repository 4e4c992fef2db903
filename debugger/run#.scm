(##namespace ("debugger/run#"
  pause? pause-reason pause-pc pause-count pause-stop pause-arrivals
  load-program! restart-program! enter-scratch-machine! enter-machine! conclude! conclude-stop!
  run-program! continue-program! step-program! next-program! step-line! next-line! step-macro! next-macro!
  finish-activation!
  run-until! until-forward!
  goto-count! goto-start! reverse-continue! reverse-step! reverse-next! reverse-step-line! reverse-next-line!
  reverse-finish!
  run-escape run-companion program-halted? program-state))
