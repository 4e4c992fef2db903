;; debugger/line-mode: prompts of which each line is somebody's own.
(##namespace ("debugger/line-mode#" line-mode line-mode-name line-mode-do line-mode-complete
  enter-line-mode! leave-line-mode!))
