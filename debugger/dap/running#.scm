(##namespace ("debugger/dap/running#" run-and-report! report-pause! run-console! thread-id))
