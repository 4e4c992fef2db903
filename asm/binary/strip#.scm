;; asm/binary/strip: images and objects without what only people look at.
(##namespace ("asm/binary/strip#" binary-strip))
