;; asm/tables: the source lines and macro expansions of assembled code.
(##namespace ("asm/tables#" code-tables by-address made-source made-calls code-statement? for-each-code-line
  statement-list))
