(##namespace ("debugger/dap/viewed#" viewed? viewed-variable viewed-children viewed-child-set! viewed-reference?))
