;; asm/binary/object-source: objects back to sources.
(##namespace ("asm/binary/object-source#" object->source))
