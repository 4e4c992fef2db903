;; debugger/dap/launch: requests around the life of a program.
(##namespace ("debugger/dap/launch#"))
