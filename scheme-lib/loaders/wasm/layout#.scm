;; loaders/wasm/layout: where the parts of a module stand in a machine's memory.
(##namespace ("scheme-lib/loaders/wasm/layout#"
  make-layout layout-module layout-globals layout-functions layout-imports
  layout-imports-set! layout-grow
  layout-memory layout-code   layout-memory-limit layout-imported-globals
  layout-locals layout-locals-set! layout-rows layout-row layout-row-set! layout-next-row layout-next-row-set!
  place-kind place-value memory-size-address table-address table-capacity table-size-address
  element-address segment-address layout-data-origin layout-data-end
  trap:unreachable trap:memory trap:table trap:undefined trap:mismatch trap-text
  page-size page-up))
