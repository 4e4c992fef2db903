(##namespace ("debugger/dap/running#" run-and-report! report-pause! run-console! tell-of-fork! thread-id))
