;; The entry of the executable; there is nothing to name.
(##begin)
