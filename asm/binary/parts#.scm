;; asm/binary/parts: files of the assembler and the linker, told apart.
(##namespace ("asm/binary/parts#" ->binary binary-parts print-line right-aligned))
