(##namespace ("repl/cli-dap#" dap-options cli-dap))
