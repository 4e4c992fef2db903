;; scheme-lib/loaders/standard: all loaders that need no assembler. They are in the table; there is nothing to name.
(##begin)
