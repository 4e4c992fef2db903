;; asm/plain: the lines that most of a long source consists of.
(##namespace ("asm/plain#" plain-instruction plain-entry plain-bytes plain-end make-plain))
