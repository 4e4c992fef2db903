;; asm/binary/symbols: the symbols of images and objects, as nm shows them.
(##namespace ("asm/binary/symbols#" binary-symbols binary-nm))
