;; repl/tui: the command is in the command table; there is nothing to name.
(##namespace ("repl/tui#"))
