;; asm/image: programs to images.
(##namespace ("asm/image#" program-image program-write-image))
