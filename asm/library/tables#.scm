;; asm/library/tables: texts, tables of texts and of numbers.
(##namespace ("asm/library/tables#" $text $texts $string-table $table))
