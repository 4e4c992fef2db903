;; asm/object-write: objects to bytes.
(##namespace ("asm/object-write#" object->bytes))
