(##namespace ("debugger/profiles#" profile))
