;; scheme-lib/loaders/simple-vm/layout: where a translated Simple VM has what.
(##namespace
 ("scheme-lib/loaders/simple-vm/layout#"
  integer-register float-register remainder-register equal-register counter-register heap-register
  stack-register frame-register link-register stack-base-register scratch host-register
  code-address program-address stack-address stack-words heap-address heap-limit heap-start
  trap-text trap-code))
