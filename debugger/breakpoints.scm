;; Breakpoints and watchpoints of the session. Making one gives a record; removing takes it again.
;;
;;   (define b (breakpoint-add! (symbol-value "main") "main"))
;;   (breakpoint-remove! b)
;;
;; They belong to the session, not to the machine: a program that is loaded again gets them again.

(module debugger/breakpoints)
(use scheme-lib/util)
(use debugger/command)
(use debugger/session)
(use debugger/target)

(define-type breakpoint
  constructor: make-breakpoint
  id
  address
  where ; as it was typed, so that it can be looked up again
  hits)

(define-type watchpoint
  constructor: make-watchpoint
  id
  number ; the machine's
  address
  length
  access ; read, write or both
  where
  old    ; the bytes when it was made or last hit
  hits)

;; ---- breakpoints -----------------------------------------------------------------------------------

(define (breakpoint-at address)
  (find (lambda (breakpoint) (= (breakpoint-address breakpoint) address))
        (session-breakpoints (the-session))))

;; One at the same address is given again rather than made twice.
(define (breakpoint-add! address where)
  (or (breakpoint-at address)
      (begin
        (target-breakpoint-set! address)
        (let ((breakpoint (make-breakpoint (new-id!) address where 0)) (session (the-session)))
          (session-breakpoints-set! session (append (session-breakpoints session) (list breakpoint)))
          breakpoint))))

(define (breakpoint-remove! breakpoint)
  (let ((session (the-session)))
    (target-breakpoint-clear! (breakpoint-address breakpoint))
    (session-breakpoints-set! session (delete breakpoint (session-breakpoints session) eq?))))

;; ---- watchpoints -----------------------------------------------------------------------------------

(define (watchpoint-value watchpoint)
  (target-read-prefix (watchpoint-address watchpoint) (watchpoint-length watchpoint)))

(define (watchpoint-with-number number)
  (find (lambda (watchpoint) (= (watchpoint-number watchpoint) number))
        (session-watchpoints (the-session))))

(define (watchpoint-add! address length access where)
  (let* ((number (target-watchpoint-set! address length access))
         (watchpoint (make-watchpoint (new-id!) number address length access where #f 0))
         (session (the-session)))
    (watchpoint-old-set! watchpoint (watchpoint-value watchpoint))
    (session-watchpoints-set! session (append (session-watchpoints session) (list watchpoint)))
    watchpoint))

(define (watchpoint-remove! watchpoint)
  (let ((session (the-session)))
    (target-watchpoint-clear! (watchpoint-number watchpoint))
    (session-watchpoints-set! session (delete watchpoint (session-watchpoints session) eq?))))

;; Memory became another by other means than the program's stores.
(define (watchpoints-refresh!)
  (for-each (lambda (watchpoint) (watchpoint-old-set! watchpoint (watchpoint-value watchpoint)))
            (session-watchpoints (the-session))))

;; ---- both ------------------------------------------------------------------------------------------

(define (stopping-place-remove! id)
  (let ((breakpoint (find (lambda (each) (= (breakpoint-id each) id)) (session-breakpoints (the-session))))
        (watchpoint (find (lambda (each) (= (watchpoint-id each) id)) (session-watchpoints (the-session)))))
    (cond (breakpoint (breakpoint-remove! breakpoint))
          (watchpoint (watchpoint-remove! watchpoint))
          (else (raise-user-error "there is no breakpoint or watchpoint " id "; `breakpoints` lists them")))))

;; Does thunk while nothing stops the program.
(define (call-without-stopping-places thunk)
  (let ((breakpoints (session-breakpoints (the-session))) (watchpoints (session-watchpoints (the-session))))
    (dynamic-wind
     (lambda ()
       (for-each (lambda (breakpoint) (target-breakpoint-clear! (breakpoint-address breakpoint))) breakpoints)
       (for-each (lambda (watchpoint) (target-watchpoint-clear! (watchpoint-number watchpoint))) watchpoints))
     thunk
     (lambda ()
       (for-each (lambda (breakpoint) (target-breakpoint-set! (breakpoint-address breakpoint))) breakpoints)
       (for-each
        (lambda (watchpoint)
          (watchpoint-number-set! watchpoint
                                  (target-watchpoint-set! (watchpoint-address watchpoint) (watchpoint-length watchpoint)
                                                          (watchpoint-access watchpoint))))
        watchpoints)))))

(define (stopping-places-clear!)
  (for-each breakpoint-remove! (session-breakpoints (the-session)))
  (for-each watchpoint-remove! (session-watchpoints (the-session))))

;; Sets all of them in a new machine. `look-up` gives the address for what was typed, or #f when that
;; means nothing any more; the result is what was lost.
(define (stopping-places-install! look-up)
  (let* ((session (the-session))
         (breakpoints (session-breakpoints session))
         (watchpoints (session-watchpoints session)))
    (session-breakpoints-set! session '())
    (session-watchpoints-set! session '())
    (filter-map
     (lambda (place)
       (let* ((where (if (breakpoint? place) (breakpoint-where place) (watchpoint-where place)))
              (address (look-up where)))
         (define (again)
           (if (breakpoint? place)
               (breakpoint-again! place address)
               (watchpoint-again! place address)))
         (if (and address (with-exception-catcher (lambda (exception) #f) again)) #f where)))
     (append breakpoints watchpoints))))

(define (breakpoint-again! breakpoint address)
  (let ((session (the-session)))
    (target-breakpoint-set! address)
    (breakpoint-address-set! breakpoint address)
    (session-breakpoints-set! session (append (session-breakpoints session) (list breakpoint)))
    #t))

(define (watchpoint-again! watchpoint address)
  (let ((session (the-session)))
    (watchpoint-address-set! watchpoint address)
    (watchpoint-number-set! watchpoint
                            (target-watchpoint-set! address (watchpoint-length watchpoint)
                                                    (watchpoint-access watchpoint)))
    (watchpoint-old-set! watchpoint (watchpoint-value watchpoint))
    (session-watchpoints-set! session (append (session-watchpoints session) (list watchpoint)))
    #t))
