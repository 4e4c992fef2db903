;; Commands: step, next, step-line, next-line, until, finish, continue, count.

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
  aliases: (s stepi) group: running
  (show-pause (step-program! count)))

(define-command (next #!optional (count count 1))
  "Executes one instruction, or COUNT, and calls as a whole. Tail calls and jumps with a link are calls, \
too; breakpoints within a call stop it."
  aliases: (n nexti) group: running
  (show-pause (next-program! count)))

(define-command (step-line #!optional (count count 1))
  "Executes until another source line begins, or the COUNT-th. Where an instruction is a line, as step."
  aliases: (sl) group: running
  (show-pause (step-line! count)))

(define-command (next-line #!optional (count count 1))
  "Executes until another source line begins, or the COUNT-th, and calls as a whole."
  aliases: (nl) group: running
  (show-pause (next-line! count)))

(define-command (until #!optional (where value #f))
  "Runs until WHERE is reached in this activation or a caller of it. Without WHERE as next, but a jump back runs \
until the loop has ended."
  aliases: (u) group: running
  (the-machine)
  (show-pause (if where (run-until! (word->integer where)) (until-forward!))))

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
