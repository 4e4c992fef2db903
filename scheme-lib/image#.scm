;; scheme-lib/image: images, read.

(##namespace
 ("scheme-lib/image#"
  image-bytes? image-section-finder ->image make-image read-write-execute
  image-sections image-symbols image-lines image-expansions image-views image-imports image-definitions image-entry
  image->bytes image-write-file
  image-load-symbols!))
