;; asm/disassembly: images back to sources.
(##namespace ("asm/disassembly#" image->source))
