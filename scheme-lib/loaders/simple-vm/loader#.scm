;; scheme-lib/loaders/simple-vm/loader: the Simple VM's files and sources. They are in the table; there is nothing to name.
(##begin)
