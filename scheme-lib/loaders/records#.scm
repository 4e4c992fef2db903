;; scheme-lib/loaders/records: what text formats of memory contents have in common.
(##namespace
 ("scheme-lib/loaders/records#"
  begins-with-record? record-lines hex-byte hex-bytes big-endian check-sum
  make-contents contents-add! contents->image
  image-runs))
