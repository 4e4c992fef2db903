(##namespace ("debugger/run#"
  pause? pause-reason pause-pc pause-count pause-stop
  load-program! restart-program! enter-scratch-machine! enter-machine! conclude! conclude-stop!
  run-program! continue-program! step-program! next-program! finish-activation!
  goto-count! goto-start! reverse-continue! reverse-step! reverse-next! reverse-finish!
  run-escape run-companion program-halted? program-state))
