;; scheme-lib/loaders/simple-vm/assemble: the Simple VM's assembly language.
(##namespace
 ("scheme-lib/loaders/simple-vm/assemble#" simple-vm-source? assemble assemble-line))
