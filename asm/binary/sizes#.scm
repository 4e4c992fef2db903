;; asm/binary/sizes: how much room images and objects take.
(##namespace ("asm/binary/sizes#" binary-sizes binary-size))
