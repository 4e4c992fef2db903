;; A client of the Debug Adapter Protocol, made to test the server over its real transport: it starts
;; `comet-vm dap` as a process, sends requests, and waits for what should come, for so long as comes at all.
;;
;;   (define client (start-client))
;;   (request client "threads")              => the response's body; an error text where it failed
;;   (wait-for-event client "stopped")       => the event's body
;;
;; Events that came meanwhile are kept until somebody waits for one of their name. Loaded by the other files.

(use scheme-lib/util)
(use scheme-lib/json)
(use debugger/dap/transport)

(define comet-vm (path-expand "comet-vm" (getenv "BUILD" "build")))

(define-type client port events sequence)

;; A program that does not answer is found out, and not waited for: seconds.
(define patience 20)

(define (start-client)
  (let ((port (open-process (list path: comet-vm arguments: '("dap") stderr-redirection: #f))))
    (input-port-timeout-set! port patience (lambda () #f))
    (make-client port '() 0)))

(define (send-message! client message) (write-frame! (json->text message) (client-port client)))

(define (read-message client)
  (let ((frame (read-frame (client-port client))))
    (if frame (text->json (utf8->string frame)) (error "the server is gone, or silent"))))

(define (send-request! client command arguments)
  (client-sequence-set! client (+ 1 (client-sequence client)))
  (send-message! client (json-object "seq" (client-sequence client) "type" "request" "command" command
                                     "arguments" (apply json-object arguments)))
  (client-sequence client))

(define (keep-event! client message) (client-events-set! client (append (client-events client) (list message))))

;; The response to the request of that number.
(define (response client sequence)
  (let ((message (read-message client)))
    (if (and (equal? (json-ref message "type") "response") (equal? (json-ref message "request_seq") sequence))
        message
        (begin (keep-event! client message) (response client sequence)))))

(define (request client command . arguments)
  (let ((response (response client (send-request! client command arguments))))
    (if (json-ref response "success")
        (json-ref response "body" '())
        (json-ref response "message"))))

(define (event-named client name)
  (find (lambda (message) (equal? (json-ref message "event") name)) (client-events client)))

;; The oldest event of a name, which is then forgotten.
(define (wait-for-event client name)
  (let ((event (event-named client name)))
    (if event
        (begin
          (client-events-set! client (remove (lambda (message) (eq? message event)) (client-events client)))
          (json-ref event "body" '()))
        (begin
          (keep-event! client (read-message client))
          (wait-for-event client name)))))

;; What the program and the debugger wrote so far, and all until the `terminated` event where `to-the-end?`.
(define (output-of client category)
  (string-join
   (filter-map (lambda (message)
                 (let ((body (json-ref message "body")))
                   (and (equal? (json-ref message "event") "output")
                        (equal? (json-ref body "category") category)
                        (json-ref body "output"))))
               (client-events client))
   ""))

;; Values on the way into an answer: names of members and indices of arrays.
(define (ref value . path)
  (fold (lambda (step value) (if (number? step) (vector-ref value step) (json-ref value step))) value path))

(define (launch client program . options)
  (request client "initialize" "adapterID" "comet-vm" "supportsInvalidatedEvent" #t)
  (let ((answer (apply request client "launch" "program" program options)))
    (if (not (string? answer)) (wait-for-event client "initialized"))
    answer))

;; The instructions around a place, each a JSON object.
(define (instructions client where first count)
  (let ((answer (request client "disassemble" "memoryReference" where "instructionOffset" first
                         "instructionCount" count)))
    (if (string? answer) answer (vector->list (ref answer "instructions")))))

;; Sets breakpoints by a request of that name and gives what it says of them.
(define (set-breakpoints client command . wanted)
  (let ((answer (request client command "breakpoints" (list->vector wanted))))
    (if (string? answer) answer (vector->list (ref answer "breakpoints")))))

;; Launches, sets what `prepare` sets, and runs until the first stop, which it gives.
(define (launch-and-stop client program prepare . options)
  (apply launch client program options)
  (prepare)
  (request client "configurationDone")
  (wait-for-event client "stopped"))

(define (stop-client client)
  (request client "disconnect")
  (let ((status (process-status (client-port client)))) (close-port (client-port client)) (quotient status 256)))
