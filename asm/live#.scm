;; asm/live: assembling into a machine.
(##namespace ("asm/live#" asm-at! load-source! machine-imports machine-define-instruction!))
