;; asm/define: instructions of the user's.
(##namespace ("asm/define#"
  define-instruction! defined-instructions
  definition? definition-name definition-opcode definition-kinds definition-meaning definition-body
  definition-entry definition-operand-names
  form->definition row->definition row->form-text definition-with-opcode free-opcode definition-named in-machine-words call-with-problems-as-errors defined-by-library))
;; (define-instruction (name (operand kind [low high]) …) ["meaning"] (mnemonic operand …) …)
(##define-macro (define-instruction . form)
  (list 'asm/define#define-instruction! (list 'quote form)))
