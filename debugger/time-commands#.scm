(##namespace ("debugger/time-commands#" word->count))
