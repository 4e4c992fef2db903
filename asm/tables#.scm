;; asm/tables: the source lines and macro expansions of assembled code.
(##namespace ("asm/tables#" code-tables statement-list))
