;; repl/cli-wast: comet-vm wast.
(##namespace ("repl/cli-wast#" cli-wast))
