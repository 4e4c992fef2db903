;; asm/tables: the source lines and macro expansions of assembled code.
(##namespace ("asm/tables#" code-tables for-each-code-line statement-list))
