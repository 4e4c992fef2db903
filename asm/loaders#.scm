;; asm/loaders: sources, objects and archives as programs. They are in the table of loaders; there is nothing to name.
(##begin)
