;; asm/suspicion: what is legal, but hardly meant.
(##namespace ("asm/suspicion#" note-suspicions!))
