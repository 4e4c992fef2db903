;; asm/binary/disassemble: what is in an image or an object, in words.
(##namespace ("asm/binary/disassemble#" binary-disasm))
