(##namespace ("repl/style#" styled))
