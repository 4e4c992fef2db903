;; Commands: step, next, step-line, next-line, step-macro, next-macro, until, finish, continue, count.

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
  "Executes until another source line begins, or the COUNT-th. Where an instruction is a line, as step; what macros \
made of a line is one line: step-macro goes into them."
  aliases: (sl) group: running
  (show-pause (step-line! count)))

(define-command (next-line #!optional (count count 1))
  "Executes until another source line begins, or the COUNT-th, and calls as a whole."
  aliases: (nl) group: running
  (show-pause (next-line! count)))

(define-command (step-macro #!optional (count count 1))
  "Executes until another line begins, of the source or in a macro. Or the COUNT-th; as step-line, but into macros: \
shows the line that calls them, and where in each of them the next instruction was made. step-line goes on \
behind them."
  aliases: (sm) group: running
  (show-pause (step-macro! count) #t))

(define-command (next-macro #!optional (count count 1))
  "Executes until another line begins, of the source or in a macro, and calls as a whole. Or the COUNT-th."
  aliases: (nm) group: running
  (show-pause (next-macro! count) #t))

(define-command (until #!optional (where value #f))
  "Runs until WHERE is reached in this activation or a caller of it. Without WHERE as next, but a jump back runs \
until the loop has ended."
  aliases: (u) group: running
  (the-machine)
  (show-pause (if where (run-until! (word->integer where)) (until-forward!))))

(define-command (finish)
  "Runs until the selected activation has returned. Shows where to, and its first result, in the caller's register \
behind the base of the call. `where` lists activations, `up` and `down` select one."
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
