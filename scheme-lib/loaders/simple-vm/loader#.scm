;; scheme-lib/loaders/simple-vm/loader: the files and sources. They are in the table; there is nothing to name.
(##begin)
