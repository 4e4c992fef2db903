;; Loads programs and makes them go: run, continue, step, next, finish. Each gives a `pause`, which says
;; why the program is not running any more, and leaves it as the session's.
;;
;;   (load-program! "sieve.s")
;;   (pause-reason (run-program!))    => halted
;;
;; Reasons: those of the machine (halted, out-of-fuel, trap, breakpoint, watchpoint, host-call,
;; interrupted), `step` and `finished` where the debugger had asked for so much and no more, and `start`
;; where going back found nothing before the start of the timeline.

(module debugger/run)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/value)

(define-type pause
  constructor: make-pause
  reason
  pc
  count ; instructions in all
  stop) ; the machine's own account; #f where it was not asked

;; ---- loading ---------------------------------------------------------------------------------------

;; A new machine with the program in it, about to execute its first instruction. `make` makes the machine.
;; Breakpoints are set again where what they were set at means something in this program too; gives those
;; that were lost, as they were typed.
(define (load-program! path #!optional (make make-machine))
  (let* ((session (the-session)) (program (read-program path)) (machine (make)))
    (machine-load! machine (loaded-image program))
    (session-program-set! session program)
    (session-arguments-set! session '())
    (session-snapshots-set! session '())
    (enter-machine! session machine)
    (stopping-places-install!
     (lambda (where) (with-exception-catcher (lambda (exception) #f) (lambda () (word->integer where)))))))

(define (enter-machine! session machine)
  (session-machine-set! session machine)
  (session-thread-set! session 0)
  (for-each (lambda (stream what) (machine-stream-set! machine stream what)) '(0 1 2) (session-streams session))
  (forget-pause! session)
  (session-fresh-set! session (machine-snapshot machine))
  (timeline-begin!))

;; Without a program there is a page to assemble into.
(define scratch-address #x10000)

(define (enter-scratch-machine!)
  (let ((session (the-session)))
    (if (not (session-machine session))
        (let ((machine (make-machine)))
          (machine-map! machine scratch-address 65536 'rwx)
          (machine-restart! machine scratch-address)
          (enter-machine! session machine)))))

(define (forget-pause! session)
  (session-stop-set! session #f)
  (session-level-set! session 0)
  (session-examined-set! session #f)
  (session-listed-set! session #f))

;; The program as it was loaded, at its entry.
(define (restart-program!)
  (let ((session (the-session)))
    (machine-restore! (the-machine) (session-fresh session))
    (forget-pause! session)
    (timeline-begin!)
    (watchpoints-refresh!)))

;; ---- running ---------------------------------------------------------------------------------------

(define (conclude! reason stop)
  (let ((session (the-session)) (pause (make-pause reason (target-pc) (target-count) stop)))
    (session-stop-set! session pause)
    (session-level-set! session 0)
    (session-listed-set! session #f)
    pause))

;; While a program runs, a procedure that ends the run. What serves the program's input calls it when Ctrl-C
;; is pressed: the program goes on waiting for input when it is continued.
(define run-escape (make-parameter #f))

;; For at most `fuel` instructions; #f: without limit. What Scheme has written so far must stand before what
;; the program writes. Gives #f when the run was escaped from.
(define (run-machine! fuel)
  (force-output (current-output-port))
  (call/cc
   (lambda (return)
     (parameterize ((run-escape (lambda () (return #f))))
       (if (run-companion) (run-accompanied! fuel) (timeline-run! fuel))))))

;; For whoever has other things to do while a program runs: a procedure that is called every few milliseconds,
;; between two instructions, and ends the run as interrupted when it gives #f.
(define run-companion (make-parameter #f))

;; Instructions between two calls of the companion.
(define accompanied-stretch (expt 2 22))

(define (run-accompanied! fuel)
  (let* ((before (target-count))
         (stop (timeline-run! (if fuel (min fuel accompanied-stretch) accompanied-stretch)))
         (left (and fuel (- fuel (- (target-count) before)))))
    (cond ((or (not (eq? (stop-reason stop) 'out-of-fuel)) (eqv? left 0)) stop)
          ((machine-pause-for-breakpoint (the-machine) stop))
          (((run-companion)) (run-accompanied! left))
          (else #f))))

(define (reason-of stop) (if stop (stop-reason stop) 'interrupted))

;; Arriving at a breakpoint is a hit of it, whichever way one came.
(define (arrived-at-breakpoint! stop)
  (let ((breakpoint (breakpoint-at (target-pc))))
    (if breakpoint (breakpoint-hits-set! breakpoint (+ 1 (breakpoint-hits breakpoint))))
    (conclude! 'breakpoint stop)))

(define (conclude-stop! stop)
  (case (reason-of stop)
    ((breakpoint) (arrived-at-breakpoint! stop))
    ((watchpoint)
     (let ((watchpoint (watchpoint-with-number (stop-watchpoint stop))))
       (if watchpoint (watchpoint-hits-set! watchpoint (+ 1 (watchpoint-hits watchpoint))))
       (conclude! 'watchpoint stop)))
    (else (conclude! (reason-of stop) stop))))

;; Setting the pc or restoring a snapshot brings it back to life.
(define (program-halted?)
  (let ((pause (session-stop (the-session))))
    (and pause
         (eq? (pause-reason pause) 'halted)
         (= (target-pc) (pause-pc pause))
         (= (target-count) (pause-count pause)))))

(define (check-running!)
  (the-machine)
  (if (program-halted?) (raise-user-error "the program has halted; run starts it again")))

(define (continue-program! #!optional (fuel #f))
  (check-running!)
  (conclude-stop! (run-machine! fuel)))

;; From the entry, with the state as it was loaded. Arguments stay those of the run before unless given.
;; `before` is called when all is ready to run.
(define (run-program! #!optional (arguments '()) (fuel #f) (before (lambda () #f)))
  (let ((session (the-session)) (program (the-program)))
    (restart-program!)
    (if (pair? arguments) (session-arguments-set! session arguments))
    (machine-arguments-set! (the-machine) (cons (loaded-path program) (session-arguments session)))
    (before)
    (if (breakpoint-at (target-pc))
        (arrived-at-breakpoint! #f)
        (continue-program! fuel))))

;; ---- stepping --------------------------------------------------------------------------------------

(define (conclude-step! stop)
  (cond ((not (eq? (reason-of stop) 'out-of-fuel)) (conclude-stop! stop))
        ((breakpoint-at (target-pc)) (arrived-at-breakpoint! stop))
        (else (conclude! 'step stop))))

(define (step-program! #!optional (count 1))
  (check-running!)
  (conclude-step! (run-machine! count)))

;; Repeats while nothing but the end of a step stopped it.
(define (repeat-step count step)
  (let loop ((left count))
    (let ((pause (step)))
      (if (and (> left 1) (eq? (pause-reason pause) 'step)) (loop (- left 1)) pause))))

;; As step, but a call counts as one with all that it does.
(define (next-program! #!optional (count 1))
  (check-running!)
  (repeat-step count
               (lambda ()
                 (let* ((depth (target-depth)) (pause (step-program! 1)))
                   (if (and (eq? (pause-reason pause) 'step) (> (target-depth) depth))
                       (run-until-return! depth 'step)
                       pause)))))

(define (return-address level) (vector-ref (target-activation level) 1))

;; Runs until so few activations are left. Recursion passes the return address without being there yet,
;; so the depth decides; a breakpoint of the user's own stops at any depth.
(define (run-until-return! depth reason)
  (let* ((address (return-address (- (target-depth) depth)))
         (own? (not (breakpoint-at address))))
    (if own? (target-breakpoint-set! address))
    (let ((stop (dynamic-wind
                 void
                 (lambda ()
                   (let loop ()
                     (let ((stop (run-machine! #f)))
                       (if (and own?
                                (eq? (reason-of stop) 'breakpoint)
                                (= (target-pc) address)
                                (> (target-depth) depth))
                           (loop)
                           stop))))
                 (lambda () (if own? (target-breakpoint-clear! address))))))
      (if (and (eq? (reason-of stop) 'breakpoint) (= (target-pc) address) (<= (target-depth) depth) own?)
          (conclude! reason stop)
          (conclude-stop! stop)))))

;; Until the selected activation has returned to its caller.
(define (finish-activation!)
  (check-running!)
  (let* ((level (session-level (the-session))) (depth (- (target-depth) level 1)))
    (if (< depth 1)
        (raise-user-error
         "this is the outermost activation, which returns to nobody; continue runs the program to its end"))
    (run-until-return! depth 'finished)))

;; ---- going back --------------------------------------------------------------------------------------

;; To a count of the timeline, with what the session was told when it stopped there last, if that was the
;; present.
(define (goto-count! count)
  (timeline-goto! count)
  (or (session-stop (the-session)) (conclude! 'step #f)))

(define (goto-start!)
  (timeline-goto! (timeline-start (the-timeline)))
  (conclude! 'start #f))

;; What a run calls a stop, arrived at from behind: the watched bytes are those before the instruction, then
;; it is executed once more.
(define (arrive-back! found)
  (cond ((not found) (goto-start!))
        ((eq? (cdr found) 'watchpoint)
         (timeline-goto! (- (car found) 1))
         (conclude-stop! (run-machine! 1)))
        (else (timeline-goto! (car found)) (arrived-at-breakpoint! #f))))

(define (call-as-it-is thunk) (thunk))

;; Where the program stopped last before here, at a breakpoint or behind what touched a watched range.
(define (reverse-continue!)
  (arrive-back! (last-stop-before (target-count) call-as-it-is (lambda () #t))))

(define (reverse-step! #!optional (count 1))
  (let ((start (timeline-start (the-timeline))) (goal (- (target-count) count)))
    (if (< goal start) (goto-start!) (begin (timeline-goto! goal) (conclude! 'step #f)))))

;; Before the call that made the activation with so many below it: the function's first instruction, seen
;; last at that depth, less one. A tail call replaced the function, then the one before it counts.
(define (goto-call-of! level reason)
  (let* ((depth (- (target-depth) level)) (function (vector-ref (target-activation level) 0)))
    (define (with-function-watched thunk)
      (call-without-stopping-places
       (lambda ()
         (target-breakpoint-set! function)
         (let ((result (with-exception-catcher
                        (lambda (exception) (target-breakpoint-clear! function) (raise exception))
                        thunk)))
           (target-breakpoint-clear! function)
           result))))
    (let ((found (last-stop-before (+ (target-count) 1) with-function-watched
                                   (lambda () (= (target-depth) depth)))))
      (if (or (not found) (<= (car found) (timeline-start (the-timeline))))
          (goto-start!)
          (begin
            (timeline-goto! (- (car found) 1))
            (if (< (target-depth) depth) (conclude! reason #f) (goto-call-of! 0 reason)))))))

;; As reverse-step!, but a call counts as one with all that it did.
(define (reverse-next! #!optional (count 1))
  (let* ((depth (target-depth))
         (pause (reverse-step! 1))
         (pause (if (and (eq? (pause-reason pause) 'step) (> (target-depth) depth))
                    (goto-call-of! (- (target-depth) depth 1) 'step)
                    pause)))
    (if (and (> count 1) (eq? (pause-reason pause) 'step)) (reverse-next! (- count 1)) pause)))

;; To the call that made the selected activation.
(define (reverse-finish!)
  (the-timeline)
  (let ((level (session-level (the-session))))
    (if (= level (- (target-depth) 1))
        (raise-user-error "this is the outermost activation, which nobody called; `goto start` goes to its beginning"))
    (goto-call-of! level 'called)))

;; ---- the state, for the prompt ----------------------------------------------------------------------

;; "", "sieve.s: main+0x4", "sieve.s: halted 0"
(define (program-state)
  (let* ((session (the-session)) (program (session-program session)) (machine (session-machine session)))
    (if (not machine)
        ""
        (text (if program (text (loaded-name program) ": ") "")
              (if (program-halted?)
                  (text "halted " (stop-exit-status (pause-stop (session-stop session))))
                  (address-text (target-pc)))
              (if (timeline-past?) (text ", at " (target-count) " of " (timeline-end (the-timeline))) "")))))
