;; Bytes without a format, as they are to stand in memory. Nothing tells them from others, so their loader is not in
;; the table: whoever knows what they are takes it for them.
;;
;;   (parameterize ((loader-to-use (raw-loader #x10000))) (->image "rom.bin"))

(module scheme-lib/loaders/raw)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/loaders/loader)
(declare (block))

(define-documented (raw-loader address)
  "A loader that puts a file's bytes at an address, which is also where the program begins. Everything is allowed
there."
  (make-loader 'raw (text "bytes at " (hex-address address)) #f
               (lambda (bytes path)
                 (if (= 0 (u8vector-length bytes)) (fail-at path 0 0 "the file is empty"))
                 (if (> (+ address (u8vector-length bytes)) (expt 2 64))
                     (fail-at path 0 0 "its " (u8vector-length bytes) " bytes do not fit behind "
                              (hex-address address)))
                 (make-image entry: address
                             sections: (list (vector "memory" address bytes #f read-write-execute))))
               #f))

;; Zeros between sections are part of the file.
(define raw-limit (expt 2 28))

(define-documented (image->raw image)
  "What an image puts into memory, from its lowest address to its highest, zeros between sections included: a pair of
that address and the bytes. At most raw-limit of them."
  (let* ((sections (filter (lambda (section) (> (vector-ref section 3) 0)) (image-sections image)))
         (low (fold min (expt 2 64) (map (lambda (section) (vector-ref section 1)) sections)))
         (high (fold max 0 (map (lambda (section) (+ (vector-ref section 1) (vector-ref section 3))) sections))))
    (if (> (- high low) raw-limit)
        (error (text "the program lies between " (hex-address low) " and " (hex-address high)
                     ", which is too much for a file of all bytes between; it may have " raw-limit)))
    (let ((bytes (make-u8vector (max 0 (- high low)) 0)))
      (for-each (lambda (section)
                  (let ((content (vector-ref section 2)))
                    (subu8vector-move! content 0 (u8vector-length content) bytes (- (vector-ref section 1) low))))
                sections)
      (cons low bytes))))
