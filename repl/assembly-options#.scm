;; repl/assembly-options: options for whatever assembles a source.
(##namespace ("repl/assembly-options#" assembly-options use-assembly-options!))
