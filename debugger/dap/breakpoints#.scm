;; debugger/dap/breakpoints: requests that set breakpoints.
(##namespace ("debugger/dap/breakpoints#"))
