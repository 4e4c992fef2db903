;; loaders/wasm/debug-variables: the variables of a C program, and where their values are.
(##namespace ("scheme-lib/loaders/wasm/debug-variables#"
  read-variables variables-globals variables-frames variables-views
  global-variable-name global-variable-address global-variable-view
  frame-end frame-locals
  local-name local-view local-low local-high local-places variables-boundaries variables-operands))
