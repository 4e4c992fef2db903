;; repl/cli-link: comet-vm link.
(##namespace ("repl/cli-link#" link-options cli-link))
