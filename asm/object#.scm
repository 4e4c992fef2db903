;; asm/object: sources to objects.
(##namespace ("asm/object#"
  asm-object-file asm-object-string assemble-to-object
  object? make-object object-name object-name-set! object-sections object-symbols object-parts
  object-definitions
  make-object-section object-section? object-section-name object-section-protection object-section-address
  object-section-keep? object-section-bytes object-section-memory-length
  make-object-symbol object-symbol-name object-symbol-binding object-symbol-defined? object-symbol-hidden?
  object-symbol-file object-symbol-line object-symbol-column
  object-symbol-visible?
  make-part part-section part-offset part-length part-what
  part-for-each-line part-deferred? part-expressions))
