(##namespace ("debugger/run#"
  pause? pause-reason pause-pc pause-count pause-stop pause-arrivals
  load-program! restart-program! enter-scratch-machine! enter-machine! conclude! conclude-stop!
  run-program! continue-program! step-program! next-program! step-line! next-line! finish-activation!
  run-until! until-forward!
  goto-count! goto-start! reverse-continue! reverse-step! reverse-next! reverse-next-line! reverse-finish!
  run-escape run-companion program-halted? program-state))
