;; Commands: step, next, finish, continue, count.

(module debugger/running-commands)
(use scheme-lib/util)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/value)
(use debugger/run)
(use debugger/show)

(define-command (step #!optional (count count 1))
  "Executes one instruction, or COUNT of them. An empty line does it again."
  aliases: (s) group: running
  (show-pause (step-program! count)))

(define-command (next #!optional (count count 1))
  "Executes one instruction, or COUNT, and calls as a whole. Breakpoints within a call stop it."
  aliases: (n) group: running
  (show-pause (next-program! count)))

(define-command (finish)
  "Runs until the selected activation has returned. `where` lists activations, `up` and \
`down` select one."
  aliases: (fin) group: running
  (show-pause (finish-activation!)))

(define-command (continue #!optional (fuel count #f))
  "Runs on from here. Until a breakpoint, a trap or the end, or for FUEL instructions; Ctrl-C stops it."
  aliases: (c) group: running
  (show-pause (continue-program! fuel)))

(define-command (count)
  "Shows how many instructions the program has executed."
  group: looking
  (say (grouped (target-count)) " instructions"))
