;; loaders/wasm/instance: modules in machines, called from Scheme.
(##namespace ("scheme-lib/loaders/wasm/instance#"
  wasm-instantiate wasm-check wasm-instance? wasm-machine wasm-call wasm-exports wasm-export wasm-global
  instance-module instance-call-bits instance-export instance-global-bits
  make-exported))
