;; scheme-lib/loaders/raw: bytes without a format.
(##namespace ("scheme-lib/loaders/raw#" raw-loader image->raw raw-limit))
