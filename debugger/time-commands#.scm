;; The commands are in the command table; a word that means an instruction count can be had.
(##namespace ("debugger/time-commands#" word->count))
