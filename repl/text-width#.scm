(##namespace ("repl/text-width#" char-columns columns-of))
