;; loaders/wasm/layout: where the parts of a module stand in a machine's memory.
(##namespace ("scheme-lib/loaders/wasm/layout#"
  make-layout layout-module layout-origin layout-end layout-globals layout-functions layout-registers layout-shared?
  import-number import-names layout-grow layout-memory-place
  layout-memory layout-code layout-memory-limit layout-imported-globals
  layout-locals layout-locals-set! layout-rows layout-rows-set! layout-row layout-row-set! layout-next-row layout-next-row-set!
  layout-operands layout-operands-set!
  make-linkage lone-linkage linkage-functions
  place? place-kind place-value memory-size-address table-address table-capacity table-size-address
  memory-place? memory-place-address memory-place-size memory-place-most
  table-place table-place? table-place-address table-place-size table-place-most
  memory-limits own-memory? own-table?
  element-address segment-address layout-data-end
  trap:unreachable trap:memory trap:table trap:undefined trap:mismatch trap-text
  page-size page-up))
