;; asm/object-read: bytes to objects.
(##namespace ("asm/object-read#" bytes->object))
