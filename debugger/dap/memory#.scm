;; debugger/dap/memory: requests that show and change memory.
(##namespace ("debugger/dap/memory#"))
