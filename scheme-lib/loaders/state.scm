;; The programs in cores and recordings: the image that such a file carries. To stand where the program stopped, a
;; debugger opens the file itself.

(module scheme-lib/loaders/state)
(use scheme-lib/util)
(use scheme-lib/state)
(use scheme-lib/loaders/loader)
(declare (block))

(define magic '#u8(#x89 67 77 83 13 10 26 10))   ; \x89CMS\r\n\x1a\n

(define (state-bytes? bytes path)
  (and (>= (u8vector-length bytes) 8) (equal? (subu8vector bytes 0 8) magic)))

(define-loader state "cores and recordings: the program in them, from its beginning"
  recognises: state-bytes?
  load: (lambda (bytes path)
          (or (state-image (read-state bytes)) (fail-at path 0 0 "there is no program in this state"))))
