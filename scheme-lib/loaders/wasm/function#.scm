;; loaders/wasm/function: the state of a body under compilation: operands, frames, registers.
(##namespace ("scheme-lib/loaders/wasm/function#"
  make-function
  handlers instruction!
  local-type settle-zeros!
  mismatch
  register-at push-new! push-constant! push-local! push-again! pop! pop-any! peek-type home
  constant? constant register! place! settle! set-local! tee-local!
  spill-operands! before-last!
  make-frame frame-kind frame-label frame-else frame-params frame-results frame-height frame-dead? frame-begun-live?
  die!
  trap-label!))
(use scheme-lib/fields)
(define-fields function
  layout module code cursor signature local-types
  instruction types registers constants height waiting zero zeros frames depth traps)
