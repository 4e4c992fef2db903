;; The commands are in the command table; info takes further subjects.
(##namespace ("debugger/looking-commands#" add-subject!))
