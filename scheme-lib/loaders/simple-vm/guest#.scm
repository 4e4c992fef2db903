;; scheme-lib/loaders/simple-vm/guest: the Simple VM in the debugger.
(##namespace ("scheme-lib/loaders/simple-vm/guest#" simple-vm-guest machine-position))
