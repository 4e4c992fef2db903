;; asm/tables: the source lines and macro expansions of assembled code.
(##namespace ("asm/tables#" for-each-code-line code-lines code-expansions lines-of by-address made-source made-calls code-statement?
  statement-list))
