;; scheme-lib/flame-graph: stacks of calls as a drawing.

(##namespace ("scheme-lib/flame-graph#" write-flame-graph))
