;; scheme-lib/loaders/emitter: Comet instructions into bytes, with labels.
(##namespace
 ("scheme-lib/loaders/emitter#"
  make-emitter emit! emit-label! emit-label-at! emitter-address emitter-label-address emitter-code))
