;; asm/object-format: objects to bytes and back.
(##namespace ("asm/object-format#" object->bytes bytes->object object-bytes?))
