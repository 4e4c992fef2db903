;; scheme-lib/loaders/s-records: Motorola S-records, read and written.
(##namespace ("scheme-lib/loaders/s-records#" image->s-records))
