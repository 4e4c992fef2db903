(##namespace ("debugger/dap/transport#" read-frame write-frame! frame-limit))
