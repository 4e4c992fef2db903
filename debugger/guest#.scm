;; debugger/guest: programs that were made for another machine, in that machine's words.
(##namespace ("debugger/guest#" the-guest guest-place guest-instruction-at guest-trap-at guest-register-rows))
