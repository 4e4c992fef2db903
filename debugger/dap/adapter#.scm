(##namespace ("debugger/dap/adapter#"
  make-adapter
  adapter-state adapter-state-set! adapter-client adapter-client-set! adapter-launch adapter-launch-set!
  adapter-groups adapter-groups-set! adapter-listings adapter-listings-set! adapter-viewed adapter-viewed-set!
  adapter-filters adapter-filters-set! adapter-timeline adapter-timeline-set! adapter-afterwards-set!
  adapter-console adapter-complete adapter-afterwards
  the-adapter
  adapter-said send-event! send-said! respond-to!
  argument
  register-request! request-named request-when
  afterwards! launch-option client-flag client-line server-line))

;; (define-request (NAME arguments) when: WHEN body …)
;;
;;   arguments   the JSON object that the client sent with it
;;   WHEN        any; loaded: with a program, even while that runs; stopped: with one that does not
;;   body        gives the response's body, a JSON object
(##define-macro (define-request head when-keyword when . body)
  `(debugger/dap/adapter#register-request!
    ,(symbol->string (car head)) ',when (lambda ,(cdr head) ,@body)))
