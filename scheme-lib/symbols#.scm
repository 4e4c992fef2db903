;; scheme-lib/symbols: names and source lines of addresses.

(##namespace
 ("scheme-lib/symbols#"
  make-symbol-table symbol-table? symbol-table-share symbol-add! symbol-remove! symbol-value symbol-before
  symbol-names symbols->list line-add! line-before lines->list expansion-add! expansions-forget!
  expansions-before))
