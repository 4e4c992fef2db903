(##namespace ("debugger/what-if-commands#" show-timelines telling-of-fork))
