;; The commands are in the command table; there is nothing to name.
(##begin)
