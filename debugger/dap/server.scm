;; A server of the Debug Adapter Protocol: editors drive the debugger through it.
;;
;;   (serve-dap input output console complete)
;;     => #t when the client went away or said `disconnect`, #f behind what was no message
;;
;; Ports carry bytes. `console` does a line of the client's console and gives what it said; `complete` is as in
;; repl/completion. The session is the current one.
;;
;; Another Scheme thread reads messages and hands them over one at a time: what a client sends faster than it is
;; served waits in the pipe. While the program runs it is asked every few milliseconds whether there is one, which
;; is then served between two instructions, and the program goes on; to pause, or to end, ends the run.

(module debugger/dap/server)
(use scheme-lib/util)
(use scheme-lib/json)
(use debugger/command)
(use debugger/run)
(use debugger/dap/transport)
(use debugger/dap/adapter)
(use debugger/dap/launch)
(use debugger/dap/running)
(use debugger/dap/breakpoints)
(use debugger/dap/looking)
(use debugger/dap/console)
(use debugger/dap/memory)

;; ---- messages ------------------------------------------------------------------------------------------

;; Sends the main thread each frame, #f at the end of the input, or the exception behind which there is none.
(define (start-reader input)
  (let ((server (current-thread)))
    (thread-start!
     (make-thread
      (lambda ()
        (let loop ()
          (let ((frame (with-exception-catcher (lambda (exception) exception) (lambda () (read-frame input)))))
            (thread-send server frame)
            (if (u8vector? frame) (begin (thread-receive) (loop))))))))))

;; The next frame; 'none where there is none within so many seconds.
(define (take-frame reader #!optional (seconds #f))
  (let ((frame (if seconds (thread-receive seconds 'none) (thread-receive))))
    (if (u8vector? frame) (thread-send reader 'next))
    frame))

(define (complain exception)
  (send-event! "output" "category" "stderr" "output" (text "comet-vm dap: " (error-line exception) "\n")))

;; The request in a frame; #f where it is none, which the client is told.
(define (frame->request frame)
  (with-exception-catcher
   (lambda (exception) (complain exception) #f)
   (lambda ()
     (let ((message (text->json (utf8->string frame))))
       (if (not (and (equal? (json-ref message "type") "request")
                     (string? (json-ref message "command"))
                     (integer? (json-ref message "seq"))))
           (raise-user-error "a message that is no request, or lacks `command` or `seq`"))
       message))))

;; ---- requests ------------------------------------------------------------------------------------------

(define (serve-request! request)
  (let* ((failure #f)
         (body (with-exception-catcher
                (lambda (exception) (set! failure (error-line exception)) '())
                (lambda ()
                  ((request-named (json-ref request "command")) (argument request "arguments" 'object '()))))))
    (respond-to! request failure body)
    (do-afterwards!)
    (tell-of-fork!)))

(define (do-afterwards!)
  (let ((thunk (adapter-afterwards (the-adapter))))
    (adapter-afterwards-set! (the-adapter) #f)
    (if thunk (thunk))))

;; ---- serving -------------------------------------------------------------------------------------------

(define (serve-dap input output console complete)
  (let ((reader (start-reader input)) (held '()))

    (define (hold! thing) (set! held (append held (list thing))))

    (define (next-frame)
      (if (pair? held)
          (let ((frame (car held))) (set! held (cdr held)) frame)
          (take-frame reader)))

    (define (serve)
      (let ((frame (next-frame)))
        (cond ((u8vector? frame)
               (let ((request (frame->request frame))) (if request (serve-request! request)))
               (or (eq? (adapter-state (the-adapter)) 'over) (serve)))
              (frame (complain frame) #f)
              (else #t))))

    ;; While the program runs: #f ends the run.
    (define (look-around)
      (send-said!)
      (let ((frame (take-frame reader 0)))
        (cond ((eq? frame 'none))
              ((not (u8vector? frame)) (end-run! frame))
              (else
               (let* ((request (frame->request frame)) (command (and request (json-ref request "command"))))
                 (cond ((not request))
                       ((member command '("restart" "terminate" "disconnect")) (end-run! frame))
                       (else (serve-request! request) (not (string=? command "pause")))))))))

    (define (end-run! frame)
      (hold! frame)
      (adapter-state-set! (the-adapter) 'stopped)
      #f)

    (let ((adapter (make-adapter output console complete)))
      (parameterize ((the-adapter adapter)
                     (run-companion look-around)
                     (current-output-port (adapter-said adapter))
                     (current-error-port (adapter-said adapter)))
        (serve)))))
