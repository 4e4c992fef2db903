;; scheme-lib/streams: bytes from and to any Scheme port.

(##namespace
 ("scheme-lib/streams#"
  make-stream stream? stream-target stream-read! stream-write!))
