;; scheme-lib/loaders/intel-hex: Intel HEX, read and written.
(##namespace ("scheme-lib/loaders/intel-hex#" image->intel-hex))
