;; asm/routine: other code for a routine of a machine.
(##namespace ("asm/routine#" asm-routine!))
