(##namespace ("debugger/view-commands#"))
