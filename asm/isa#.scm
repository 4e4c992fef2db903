;; asm/isa: the instruction table as the assembler needs it.
(##namespace ("asm/isa#"
  isa-entries isa-find isa-find-range isa-by-opcode isa-at isa-opcode
  isa-entry-name isa-entry-opcode isa-entry-kinds isa-entry-arity isa-entry-opcode-bytes
  isa-entry-least-arity isa-name-hint row->entry
  isa-kind-words isa-kind-register?))
