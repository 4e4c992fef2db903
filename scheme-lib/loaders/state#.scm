;; scheme-lib/loaders/state: the programs in cores and recordings.
(##namespace ("scheme-lib/loaders/state#" state-bytes?))
