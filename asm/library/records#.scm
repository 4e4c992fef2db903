;; asm/library/records: records over memory.
(##namespace ("asm/library/records#" expand-record))
(##define-macro ($record name . fields) (asm/library/records#expand-record name fields))
(##define-syntax $load (lambda (source) (asm/library/records#expand-access source)))
(##define-syntax $store (lambda (source) (asm/library/records#expand-access source)))
