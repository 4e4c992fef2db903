;; scheme-lib/generator: values made at random, which can be made simpler again.
(##namespace
 ("scheme-lib/generator#"
  generate replay choices-of chosen-value chosen-spans discard! discarded?
  draw gen-integer gen-register gen-boolean gen-byte gen-character gen-string gen-u8vector gen-list gen-choice
  gen-one-of gen-constant gen-map gen-bind gen-where gen-sample))
