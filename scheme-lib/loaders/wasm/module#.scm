;; loaders/wasm/module: a module's parts, and the sections they come from.
(##namespace ("scheme-lib/loaders/wasm/module#"
  wasm-bytes? read-module
  module-bytes module-types module-imports module-functions module-tables module-memories module-globals
  module-exports module-start module-elements module-segments module-data-count module-bodies module-names
  module-function-count module-imported module-declared? module-function-name
  module-custom module-code-start
  signature-params signature-results signature-id
  import-module import-name import-kind import-type
  limits-least limits-most limits-least-set! limits-most-set!
  make-signature make-global make-table-type
  table-type-element table-type-limits global-type global-mutable? global-value
  export-name export-kind export-index
  element-mode element-type element-table element-offset element-items
  segment-mode segment-offset segment-start segment-end
  type:i32 type:i64 type:f32 type:f64 type:funcref type:externref
  value-type reference-type? reference-type! type->text))
