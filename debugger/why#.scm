(##namespace ("debugger/why#"
  why why? why-count why-instruction why-address why-place why-value why-title why-sources why->text why->graphviz))
