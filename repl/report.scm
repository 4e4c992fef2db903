;; What is said of a program that trapped where nobody is there to look: the trap, where, the instructions
;; around it, the activations and the registers.

(module repl/report)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/target)
(use debugger/run)
(use debugger/show)

;; To the current output port.
(define (trap-report pause)
  (let ((stop (pause-stop pause)))
    (say "trap: " (trap-text stop))
    (say "  kind " (stop-trap stop) ", address " (number->hex (stop-address stop)))
    (say "  at " (number->hex (pause-pc pause)) " " (where-text (pause-pc pause)))
    (say "  after " (grouped (pause-count pause)) " instructions")
    (newline)
    (show-around (pause-pc pause) 5 3)
    (newline)
    (say "activations, innermost first:")
    (run-command "where")
    (newline)
    (say "registers other than 0:")
    (run-command "registers")))
