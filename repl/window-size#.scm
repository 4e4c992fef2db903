(##namespace ("repl/window-size#" window-size))
