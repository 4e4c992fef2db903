(##namespace ("debugger/dap/looking#" select-frame! select-scope! source-object))
