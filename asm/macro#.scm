;; asm/macro: what libraries of macros stand on.
(##namespace ("asm/macro#"
  macro-unique-name macro-address macro-distance macro-relocation macro-state macro-state-set! macro-fail
  parts datum at form located-form))
