;; asm/assembly: the state of one assembly.
(##namespace ("asm/assembly#"
  new-assembly assembly-resized current-assembly assembly-states
  assembly-pass assembly-mode assembly-environment assembly-sections
  assembly-changed? assembly-changed?-set! assembly-unknown? known-or-zero assembly-source assembly-warnings
  note-warning! note-warning-of! note-warning-at! symbol-entry-used? assembly-repeated assembly-repeated-set! assembly-files
  begin-scope! symbol-met? symbol-in-pass symbol-entries names-bound
  note-problem! near-name assembly-errors assembly-names-lost?-set! for-each-guarded
  assembly-views note-view!
  assembly-imports assembly-statement assembly-statement-set! assembly-operand assembly-operand-set!
  start-pass! finish-pass! place-sections! start-statement! finish-statement! unsettled-symbols
  ;; sections
  section-name section-protection section-base section-size section-size-set! section-content section-bytes section-file-length
  section-executable? section-no-bits? section-keep? section-keep?-set! section-address
  current-section switch-section! room-for?
  here emit-byte! emit-bytes! emit-zeros! emit-fill! emit-integer!
  memory-limit bytes-limit
  assembly-entry assembly-entry-set!
  emit-made! find-places! assembly-made made? made-section made-offset made-end made-places made-statement made-instruction?
  ;; items
  item-least note-item! assembly-item-count free-passes
  assembly-met assembly-met-set! assembly-target assembly-target-set! assembly-pieces assembly-pieces-set!
  ;; symbols
  define-label! define-symbol! define-label-by-key! define-symbol-by-key! symbol-address here-value
  settled-distance expression-number symbol-binding bind-symbol! symbol-known? symbol-defined? assembly-symbol-list symbol-entry-name
  symbol-entry-value symbol-entry-value-before symbol-entry-address symbol-entry-move! symbol-entry-place symbol-entry-file symbol-entry-pass
  symbol-entry-section symbol-entry-offset symbol-entry-kind symbol-entry-local?
  host-value host-name? possible-name? unique-name!
  ;; events
  assembly-object? assembly-events note-event! emit-deferred!
  event-section event-offset event-length event-statement event-place event-what
  ;; instructions that are not the table's
  assembly-isa assembly-definition assembly-definition-of-opcode assembly-definitions define-in-assembly! check-defined!
  defined-names
  note-definition!))
