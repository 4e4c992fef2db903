;; asm/binary/parts: files of the assembler and the linker, told apart.
(##namespace ("asm/binary/parts#" ->binary binary-parts for-each-binary-part print-line right-aligned))
