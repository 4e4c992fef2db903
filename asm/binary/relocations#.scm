;; asm/binary/relocations: what the linker computes in an object.
(##namespace ("asm/binary/relocations#" object-relocations part-text object-definitions-image))
