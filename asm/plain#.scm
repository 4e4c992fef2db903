;; asm/plain: the lines that most of a long source consists of.
(##namespace ("asm/plain#" plain-instruction plain-bytes plain-size plain-end make-plain))
