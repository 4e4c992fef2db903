;; asm/assembler: the assembler, in one library.
(##namespace ("asm/program#"
  asm-file asm-string asm
  program? program-name program-sections program-symbols program-lines program-expansions program-views program-imports program-entry
  program-globals program-instructions program-passes
  program-section? program-section-name program-section-address program-section-bytes
  program-section-memory-length program-section-protection))
(##namespace ("asm/image#" program-image program-write-image))
(##namespace ("asm/disassembly#" image->source))
(##namespace ("asm/listing#" program-listing program-write-listing))
(##namespace ("asm/define#" define-instruction! defined-instructions))
(##define-macro (define-instruction . form)
  (list 'asm/define#define-instruction! (list 'quote form)))
(##namespace ("asm/routine#" asm-routine!))
(##namespace ("asm/live#" asm-at! load-source! machine-define-instruction!))
(##namespace ("asm/diagnostic#"
  asm-error? asm-error-diagnostics asm-error-display asm-error->text
  asm-diagnostic? asm-diagnostic-file asm-diagnostic-line asm-diagnostic-column asm-diagnostic-message
  asm-diagnostic-notes asm-diagnostic-text asm-diagnostic-display))
(##namespace ("asm/object#"
  asm-object-file asm-object-string assemble-to-object
  object? make-object object-name object-name-set! object-sections object-symbols object-parts
  make-object-section object-section? object-section-name object-section-protection object-section-keep?
  object-section-bytes object-section-memory-length
  make-object-symbol object-symbol-name object-symbol-binding object-symbol-defined? object-symbol-hidden?
  object-symbol-file object-symbol-line object-symbol-column
  object-symbol-visible?
  make-part part-section part-offset part-length part-what
  part-for-each-line part-deferred? part-expressions))
(##namespace ("asm/object-format#" object-bytes?))
(##namespace ("asm/object-read#" bytes->object))
(##namespace ("asm/object-write#" object->bytes))
(##namespace ("asm/archive#"
  archive? make-archive archive-name archive-members archive-objects
  member? make-member member-name member-bytes
  bytes->archive archive->bytes archive-bytes?
  archive-with-members archive-without-members))
(##namespace ("asm/binary/parts#" ->binary binary-parts for-each-binary-part))
(##namespace ("asm/binary/symbols#" binary-symbols binary-nm))
(##namespace ("asm/binary/sizes#" binary-sizes binary-size))
(##namespace ("asm/binary/disassemble#" binary-disasm))
(##namespace ("asm/binary/object-source#" object->source))
(##namespace ("asm/binary/relocations#" object-relocations))
(##namespace ("asm/binary/dump#" binary-objdump binary-tables))
(##namespace ("asm/binary/strip#" binary-strip))
(##namespace ("asm/link#"
  link link-program link-contributions link-dropped link-extracted
  contribution-object contribution-section contribution-address contribution-length
  linker-input))
