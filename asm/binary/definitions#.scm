;; asm/binary/definitions: where an object's symbols are defined, and expressions of them in words.
(##namespace ("asm/binary/definitions#"
  object-definition-parts object-stored-lengths object-expression-texts))
