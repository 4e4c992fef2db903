;; asm/link-map: what a link made, in words.
(##namespace ("asm/link-map#" link-map))
