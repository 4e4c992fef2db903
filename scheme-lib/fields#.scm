;; scheme-lib/fields: records whose fields are macros.

;; (define-fields point x y): the fields of vectors, as macros: (point-x v), (point-x-set! v value), and so on. For
;; records that are asked for all the time; what is no such vector is not noticed.
(##define-macro (define-fields prefix . names)
  (let loop ((names names) (index 0) (forms '()))
    (if (pair? names)
        (let ((name (string-append (symbol->string prefix) "-" (symbol->string (car names)))))
          (loop (cdr names)
                (+ index 1)
                (cons `(##define-macro (,(string->symbol name) record) (list '##vector-ref record ,index))
                      (cons `(##define-macro (,(string->symbol (string-append name "-set!")) record value)
                               (list '##vector-set! record ,index value))
                            forms))))
        `(##begin ,@forms))))
