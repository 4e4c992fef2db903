;; scheme-lib/loaders/records: what text formats of memory contents have in common.
(##namespace
 ("scheme-lib/loaders/records#"
  record-lines hex-byte hex-bytes check-sum
  make-contents contents-add! contents->image
  image-runs))
