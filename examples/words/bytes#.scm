;; words/bytes: macros for bytes in memory.
(##namespace ("words/bytes#" for-bytes))
