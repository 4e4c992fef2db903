(##namespace ("debugger/dap/looking#" select-frame! source-object))
