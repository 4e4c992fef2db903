;; asm/object-format: what those that read and write objects have in common.
(##namespace ("asm/object-format#"
  object-magic object-version object-header-length chunk-entry-length chunk-types padded object-bytes?
  binding-names directive-names part-kinds expression-kinds first-operator operators index-in))
