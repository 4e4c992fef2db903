;; loaders/wasm/function: the state of a body under compilation: operands, frames, registers.
(##namespace ("scheme-lib/loaders/wasm/function#"
  make-function function-module function-code function-cursor function-layout function-instruction
  function-instruction-set! function-frames function-frames-set! function-depth function-depth-set!
  function-height function-signature
  handlers instruction!
  local-type settle-zeros!
  mismatch
  register-at push-new! push-constant! push-local! push-again! pop! pop-any! peek-type home
  constant? constant register! place! settle! set-local! tee-local!
  spill-operands! before-last!
  make-frame frame-kind frame-label frame-else frame-params frame-results frame-height frame-dead? frame-begun-live?
  die!
  function-traps trap-label!))
