;; scheme-lib/loaders/simple-vm/instructions: the Simple VM's instructions.
(##namespace
 ("scheme-lib/loaders/simple-vm/instructions#"
  instruction-name instruction-opcode instruction-operands instruction-by-opcode instruction-by-name instruction-names
  illegal instruction->text))
