;; comet-vm image: a program of any format as an image, or as a file of memory contents. And --raw, which all who load
;; programs take.

(module repl/cli-image)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/raw)
(use scheme-lib/loaders/intel-hex)
(use scheme-lib/loaders/s-records)
(use debugger/program)
(use repl/options)
(use repl/assembly-options)
(use repl/cli-files)

(define raw-option
  '("--raw" number "ADDRESS" "FILE has no format: its bytes go to ADDRESS, where the program begins"))

(define (call-with-raw-option options thunk)
  (let ((address (option-value options "--raw")))
    (if address
        (parameterize ((loader-to-use (raw-loader address))) (thunk))
        (thunk))))

(define image-options
  (cons* '("-o" text "FILE" "where it goes; FILE with the format's ending unless given")
         '("--to" text "FORMAT" "image (unless given), hex (Intel HEX), srec (S-records), or raw (bytes alone)")
         raw-option
         assembly-options))

;; A name, the ending of its files, and what makes one of an image.
(define formats
  (list (list "image" ".img" image->bytes)
        (list "hex" ".hex" image->intel-hex)
        (list "srec" ".srec" image->s-records)
        (list "raw" ".bin" (lambda (image) (cdr (image->raw image))))))

(define (cli-image options words)
  (let* ((path (one-file words "file"))
         (name (option-value options "--to" "image"))
         (format (or (assoc name formats)
                     (usage-error "there is no format `" name "`" (did-you-mean name (map car formats))
                                  "; there are " (string-join (map car formats) ", "))))
         (target (option-value options "-o" (string-append (path-strip-extension path) (cadr format)))))
    (if (string=? path target)
        (usage-error "what is written would overwrite " path "; -o names another file"))
    (use-assembly-options! options)
    (write-output target
                  (with-file path
                    (lambda ()
                      (parameterize ((current-error-port ##stderr-port))
                        ((caddr format)
                         (call-with-raw-option options (lambda () (loaded-image (read-program path)))))))))))
