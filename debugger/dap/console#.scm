;; debugger/dap/console: requests that evaluate what a person wrote.
(##namespace ("debugger/dap/console#"))
