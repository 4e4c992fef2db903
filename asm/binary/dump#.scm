;; asm/binary/dump: all that images and objects hold, as objdump shows it.
(##namespace ("asm/binary/dump#" binary-objdump binary-tables))
