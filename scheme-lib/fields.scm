;; Records that are asked for all the time, as vectors: see the header. A library uses it in its header, so that who
;; uses the library has the macros:
;;
;;   (use scheme-lib/fields)
;;   (define-fields point x y)         (point-x p), (point-x-set! p 3)
(module scheme-lib/fields)
