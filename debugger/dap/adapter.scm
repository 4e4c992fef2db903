;; What all requests of the Debug Adapter Protocol share: the client at the other end, messages to it, and the
;; table of the requests, which the other files of this folder fill.
;;
;;   (define-request (threads arguments) when: loaded (json-object "threads" …))

(module debugger/dap/adapter)
(use scheme-lib/util)
(use scheme-lib/json)
(use debugger/command)
(use debugger/session)
(use debugger/dap/transport)

(define-type adapter
  constructor: construct
  output      ; the port to the client
  said        ; a port that collects what Scheme writes: it goes to the client's console
  console     ; does a line of the client's console, gives the text that it said
  complete    ; as repl/completion's complete
  sequence    ; number of the last message to the client
  state       ; new, loaded (the client sets breakpoints), stopped, running, over
  client      ; the arguments of `initialize`
  launch      ; the arguments of `launch`
  groups      ; (whose . ids) …: breakpoints and watchpoints that the client set for a source (a string), or as
              ; function, instruction, data (symbols)
  listings    ; where code begins that the client sees as a source, see listing; the first has number 1
  viewed      ; (level . word) …, see viewed
  filters     ; the exceptions that stop the program, as strings
  timeline    ; in which the client believes the program to be, or #f
  afterwards) ; what is to be done when the response is out, or #f

(define (make-adapter output console complete)
  (construct output (open-output-string) console complete 0 'new '() '() '() '() '() '("trap") #f #f))

(define the-adapter (make-parameter #f))

;; ---- to the client -----------------------------------------------------------------------------------

(define (send! . names-and-values)
  (let ((sequence (+ 1 (adapter-sequence (the-adapter)))))
    (adapter-sequence-set! (the-adapter) sequence)
    (write-frame! (json->text (apply json-object "seq" sequence names-and-values)) (adapter-output (the-adapter)))))

;; What Scheme said before goes first.
(define (send-event! name . names-and-values)
  (send-said!)
  (send! "type" "event" "event" name "body" (apply json-object names-and-values)))

(define (send-said!)
  (let ((said (get-output-string (adapter-said (the-adapter)))))
    (if (not (string=? said ""))
        (send! "type" "event" "event" "output" "body" (json-object "category" "console" "output" said)))))

;; failure: #f, or what was wrong.
(define (respond-to! request failure body)
  (send-said!)
  (apply send!
         "type" "response" "request_seq" (json-ref request "seq" 0) "command" (json-ref request "command" "")
         (if failure
             (list "success" #f "message" failure "body" (json-object "error" (error-object failure)))
             (list "success" #t "body" body))))

;; Clients take braces for the names of variables.
(define (error-object failure)
  (json-object "id" 1 "format" (string-replace (string-replace failure "{" "(") "}" ")") "showUser" #t))

(define (afterwards! thunk) (adapter-afterwards-set! (the-adapter) thunk))

;; ---- what the client said ------------------------------------------------------------------------------

(define kinds
  (list (list 'string string? "a string")
        (list 'integer (lambda (value) (and (integer? value) (exact? value))) "an integer")
        (list 'boolean boolean? "true or false")
        (list 'array vector? "an array")
        (list 'object json-object? "an object")))

;; A member of an object; without a default it must be there.
(define (argument object name kind #!optional (default (void)))
  (let ((value (json-ref object name (void))) (entry (assq kind kinds)))
    (cond ((and (eq? value (void)) (not (eq? default (void)))) default)
          (((cadr entry) value) value)
          (else (raise-user-error "`" name "` is to be " (caddr entry))))))

(define (launch-option name kind default) (argument (adapter-launch (the-adapter)) name kind default))

(define (client-flag name default) (argument (adapter-client (the-adapter)) name 'boolean default))

;; The client counts lines and columns from 1 unless it said otherwise.
(define (client-line line) (if (client-flag "linesStartAt1" #t) line (- line 1)))
(define (server-line line) (if (client-flag "linesStartAt1" #t) line (+ line 1)))

;; ---- requests ----------------------------------------------------------------------------------------

(define requests (make-table test: equal?))

(define-type request
  constructor: make-request
  when procedure)

(define (register-request! name when procedure) (table-set! requests name (make-request when procedure)))

;; The procedure that does a request for one that the present state allows.
(define (request-named name)
  (let ((request (table-ref requests name #f)) (state (adapter-state (the-adapter))))
    (cond ((not request) (raise-user-error "the request `" name "` is not supported"))
          ((eq? (request-when request) 'any))
          ((memq state '(new over)) (raise-user-error "no program is loaded; `launch` loads one"))
          ((and (eq? (request-when request) 'stopped) (eq? state 'running))
           (raise-user-error "the program is running; pause it first")))
    (request-procedure request)))
