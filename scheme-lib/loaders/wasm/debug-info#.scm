;; loaders/wasm/debug-info: the entries of DWARF that tell of types, variables and functions.
(##namespace ("scheme-lib/loaders/wasm/debug-info#"
  for-each-unit unit-version unit-low unit-address read-u64!
  entry-tag entry-children entry-attribute entry-name entry-reference entry-range entry-ranges attribute-locations))
