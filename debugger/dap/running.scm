;; Requests that make the program go, and what the client is told when it stops.
;;
;; The response to such a request goes out first; the program then runs until it stops, and other requests are
;; served on the way (see server).

(module debugger/dap/running)
(use scheme-lib/util)
(use scheme-lib/json)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/what-if)
(use debugger/lines)
(use debugger/run)
(use debugger/show)
(use debugger/dap/adapter)

;; The client's number of the session's thread; 0 is none to some clients.
(define (thread-id) (+ 1 (session-thread (the-session))))

;; ---- what the client is told ---------------------------------------------------------------------------

(define status-trap 132)

(define (say-to-client category . parts)
  (send-event! "output" "category" category "output" (apply text parts)))

(define (kind-of-breakpoint id)
  (let ((group (find (lambda (group) (memv id (cdr group))) (adapter-groups (the-adapter)))))
    (if (and group (symbol? (car group))) (text (car group) " breakpoint") "breakpoint")))

(define (arrival-ids pause)
  (map (lambda (arrival) (breakpoint-id (arrival-breakpoint arrival))) (pause-arrivals pause)))

;; The word of the protocol for why it stopped, and the breakpoints that were hit.
(define (stopped-reason pause)
  (case (pause-reason pause)
    ((step finished called) '("step"))
    ((breakpoint)
     (let ((ids (arrival-ids pause))) (cons (if (pair? ids) (kind-of-breakpoint (car ids)) "breakpoint") ids)))
    ((watchpoint) (cons "data breakpoint" (arrival-ids pause)))
    ((event) (cons "breakpoint" (arrival-ids pause)))
    ((trap) '("exception"))
    ((interrupted) '("pause"))
    ((start) '("entry"))
    (else (list (symbol->string (pause-reason pause))))))

(define (report-stopped! reason description #!optional (hit '()))
  (adapter-state-set! (the-adapter) 'stopped)
  (adapter-viewed-set! (the-adapter) '())
  (send-event! "stopped" "reason" reason "description" (or description (void)) "threadId" (thread-id)
               "allThreadsStopped" #t
               "text" (if (equal? reason "exception") (or description (void)) (void))
               "hitBreakpointIds" (if (pair? hit) (list->vector hit) (void))))

(define (report-end! status)
  (adapter-state-set! (the-adapter) 'stopped)
  (send-event! "exited" "exitCode" status)
  (send-event! "terminated"))

(define (report-pause! pause)
  (let* ((line (pause-line pause)) (reason (stopped-reason pause)) (kind (pause-reason pause)))
    (if (memq kind '(trap watchpoint event halted host-call)) (say-to-client "console" line "\n"))
    (cond ((and (eq? kind 'halted) (not (launch-option "stopAtEnd" 'boolean #f)))
           (report-end! (stop-exit-status (pause-stop pause))))
          ((and (eq? kind 'trap) (not (member "trap" (adapter-filters (the-adapter)))))
           (report-end! status-trap))
          (else (report-stopped! (car reason) line (cdr reason))))))

;; ---- running -------------------------------------------------------------------------------------------

(define (run! go)
  (adapter-state-set! (the-adapter) 'running)
  (with-exception-catcher
   (lambda (exception)
     (say-to-client "stderr" (error-line exception) "\n")
     (report-stopped! "pause" (error-line exception)))
   (lambda ()
     (let ((pause (go)))
       ;; A request that ends the run is what comes next; it has its own things to tell.
       (if (eq? (adapter-state (the-adapter)) 'running) (report-pause! pause))))))

(define (run-and-report! go) (afterwards! (lambda () (run! go))))

;; A change in the past makes another future, whoever changed what.
(define (tell-of-fork!)
  (let ((adapter (the-adapter)) (session (the-session)))
    (if (and (eq? (adapter-state adapter) 'stopped) (session-timeline session))
        (let ((before (adapter-timeline adapter)) (now (the-timeline)))
          (adapter-timeline-set! adapter now)
          (if (and before (eq? (timeline-origin now) before))
              (begin
                (say-to-client "console" (fork-notice before now) "\n")
                (send-invalidated!)))))))

(define (send-invalidated!)
  (if (client-flag "supportsInvalidatedEvent" #f) (send-event! "invalidated" "areas" (vector "all"))))

;; Does a line of the client's console, which may make the program run; the client then looks at all anew.
(define (run-console! line)
  (let* ((adapter (the-adapter)) (state (adapter-state adapter)) (before (session-stop (the-session))))
    (adapter-state-set! adapter 'running)
    (let* ((said (with-exception-catcher
                  (lambda (exception) (adapter-state-set! adapter state) (raise exception))
                  (lambda () ((adapter-console adapter) line))))
           (now (session-stop (the-session))))
      (if (eq? (adapter-state adapter) 'running)
          (begin
            (adapter-state-set! adapter state)
            (cond ((and now (not (eq? now before))) (afterwards! (lambda () (report-pause! now))))
                  (else (afterwards! send-invalidated!)))
            ;; What was said tells of a fork.
            (if (session-timeline (the-session)) (adapter-timeline-set! adapter (the-timeline)))))
      said)))

(define-request (continue arguments) when: stopped
  (run-and-report! continue-program!)
  (json-object "allThreadsContinued" #t))

(define-request (reverseContinue arguments) when: stopped
  (run-and-report! reverse-continue!)
  '())

;; By a source line, unless the client shows instructions.
(define (step-by arguments instruction line)
  (run-and-report! (if (equal? (json-ref arguments "granularity") "instruction") instruction line))
  '())

(define-request (next arguments) when: stopped (step-by arguments next-program! next-line!))
(define-request (stepIn arguments) when: stopped (step-by arguments step-program! step-line!))
(define-request (stepOut arguments) when: stopped (run-and-report! finish-activation!) '())

;; Over calls, as the client's step over goes forward.
(define-request (stepBack arguments) when: stopped (step-by arguments reverse-next! reverse-next-line!))

;; Only a running program can be paused; the server ends its run behind this.
(define-request (pause arguments) when: loaded
  (if (not (eq? (adapter-state (the-adapter)) 'running)) (raise-user-error "the program is not running"))
  '())

;; ---- going elsewhere -----------------------------------------------------------------------------------

(define-request (gotoTargets arguments) when: stopped
  (let* ((source (argument arguments "source" 'object))
         (found (line-instruction (argument source "path" 'string) (server-line (argument arguments "line" 'integer)))))
    (json-object "targets"
                 (if found
                     (vector (json-object "id" (car found) "label" (where-text (car found))
                                          "line" (client-line (cdr found))
                                          "instructionPointerReference" (hex-address (car found))))
                     (vector)))))

;; A target's number is its address.
(define-request (goto arguments) when: stopped
  (target-pc-set! (argument arguments "targetId" 'integer))
  (afterwards! (lambda () (report-stopped! "goto" #f)))
  '())
