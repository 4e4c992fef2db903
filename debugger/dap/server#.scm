(##namespace ("debugger/dap/server#" serve-dap))
