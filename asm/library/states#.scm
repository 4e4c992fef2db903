;; asm/library/states: state machines.
(##namespace ("asm/library/states#" expand-states))
(##define-syntax $states (lambda (source) (asm/library/states#expand-states source)))
