;; repl/cli-image: comet-vm image.
(##namespace ("repl/cli-image#" image-options cli-image raw-option call-with-raw-option))
