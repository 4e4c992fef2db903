;; Loads programs and makes them go: run, continue, step, next, finish. Each gives a `pause`, which says
;; why the program is not running any more, and leaves it as the session's.
;;
;;   (load-program! "sieve.s")
;;   (pause-reason (run-program!))    => halted
;;
;; Reasons: those of the machine (halted, out-of-fuel, trap, breakpoint, watchpoint, host-call,
;; interrupted, waiting), `event` at a catchpoint, `step` and `finished` where the debugger had asked for so much and no
;; more, and `start` where going back found nothing before the start of the timeline.

(module debugger/run)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/disassembly)
(use debugger/code)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/search)
(use debugger/value)

(define-type pause
  constructor: make-pause
  reason
  pc
  count ; instructions in all
  stop  ; the machine's own account; #f where it was not asked
  arrivals) ; at breakpoints, watchpoints and catchpoints, see debugger/breakpoints

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
    (breakpoints-install!)))

(define (enter-machine! session machine)
  (session-machine-set! session machine)
  (session-thread-set! session 0)
  (for-each (lambda (stream what) (machine-stream-set! machine stream what)) '(0 1 2) (session-streams session))
  (forget-pause! session)
  (timelines-forget!)
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
    (timeline-set-aside!)
    (machine-close-files! (session-machine session))
    (target-restore! (session-fresh session))
    (forget-pause! session)
    (timeline-begin!)
    (breakpoints-refresh!)))

;; ---- running ---------------------------------------------------------------------------------------

;; Who was interrupted while others ran may have chosen a thread that is gone.
(define (choose-thread-that-is-there!)
  (if (not (memv (session-thread (the-session)) (machine-threads (the-machine))))
      (session-thread-set! (the-session) (machine-current-thread (the-machine)))))

(define (conclude! reason stop #!optional (arrivals '()))
  (choose-thread-that-is-there!)
  (let ((session (the-session)) (pause (make-pause reason (target-pc) (target-count) stop arrivals)))
    (session-stop-set! session pause)
    (session-level-set! session 0)
    (session-listed-set! session #f)
    (for-each (lambda (arrival)
                (if (breakpoint-temporary? (arrival-breakpoint arrival)) (breakpoint-remove! (arrival-breakpoint arrival))))
              arrivals)
    pause))

;; While a program runs, a procedure that ends the run. What serves the program's input calls it when Ctrl-C
;; is pressed: the program goes on waiting for input when it is continued.
(define run-escape (make-parameter #f))

;; What ended a run: the machine's stop, #f when it was escaped from; and where it arrived that is to stop it.
(define-type ending
  constructor: make-ending
  stop arrivals)

(define (nowhere stop) #f)

;; For at most `fuel` instructions; #f: without limit. Ends where a breakpoint says so, or `there?` of the stop
;; that a place of the caller's own has made. What Scheme has written so far must stand before what the
;; program writes.
(define (run-machine! fuel #!optional (there? nowhere))
  (force-output (current-output-port))
  (session-level-set! (the-session) 0)
  (call/cc
   (lambda (return)
     (define (escape) (return (make-ending #f '())))
     ;; Ctrl-C is the machine's and its timeline's while these run; conditions are left.
     (parameterize ((run-escape escape) (current-user-interrupt-handler escape))
       (let loop ((fuel fuel))
         (let* ((before (target-count))
                (stop (if (run-companion) (run-accompanied! fuel) (timeline-run! fuel)))
                (left (and fuel (- fuel (- (target-count) before))))
                (hits (if stop (count-hits! (arrivals stop) #f) '())))
           (cond ((or (pair? hits)
                      (not stop)
                      (there? stop)
                      (not (memq (stop-reason stop) '(breakpoint watchpoint observed))))
                  (make-ending stop hits))
                 ((eqv? left 0) (make-ending (timeline-run! 0) '()))
                 (else (loop left)))))))))

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

(define (reason-of ending)
  (if (ending-stop ending) (stop-reason (ending-stop ending)) 'interrupted))

(define (kind->reason kind)
  (case kind
    ((break) 'breakpoint)
    ((watch register thread-register condition) 'watchpoint)
    ((trap) 'trap)
    (else 'event)))

;; Watchpoints tell more than a breakpoint at which one arrives as well.
(define (arrival-reason arrivals)
  (let ((reasons (map (lambda (arrival) (kind->reason (breakpoint-kind (arrival-breakpoint arrival)))) arrivals)))
    (or (find (lambda (reason) (memq reason reasons)) '(trap watchpoint event)) 'breakpoint)))

;; For who has run the machine without looking at breakpoints.
(define (conclude-stop! stop) (conclude-ending! (make-ending stop '())))

(define (conclude-ending! ending)
  (let ((arrivals (ending-arrivals ending)))
    (conclude! (if (pair? arrivals) (arrival-reason arrivals) (reason-of ending)) (ending-stop ending) arrivals)))

;; Brought to a breakpoint without running.
(define (arrive!)
  (let ((hits (count-hits! (arrivals #f) #t)))
    (conclude! (if (pair? hits) 'breakpoint 'step) #f hits)))

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
  (conclude-ending! (run-machine! fuel)))

;; From the entry, with the state as it was loaded. Arguments stay those of the run before unless given.
;; `before` is called when all is ready to run.
(define (run-program! #!optional (arguments '()) (fuel #f) (before (lambda () #f)))
  (let ((session (the-session)) (program (the-program)))
    (restart-program!)
    (if (pair? arguments) (session-arguments-set! session arguments))
    (machine-arguments-set! (the-machine) (cons (loaded-path program) (session-arguments session)))
    (before)
    (let ((hits (if (breakpoint-at (target-pc)) (count-hits! (arrivals #f) #f) '())))
      (if (pair? hits) (conclude! 'breakpoint #f hits) (continue-program! fuel)))))

;; ---- stepping --------------------------------------------------------------------------------------

(define (conclude-step! ending)
  (if (and (eq? (reason-of ending) 'out-of-fuel) (null? (ending-arrivals ending)))
      (conclude! 'step (ending-stop ending))
      (conclude-ending! ending)))

(define (step-program! #!optional (count 1))
  (check-running!)
  (if (null? (cdr (machine-threads (the-machine))))
      (conclude-step! (run-machine! count))
      (let ((thread (session-thread (the-session)))) (repeat-step count (lambda () (step-thread! thread))))))

;; Until the thread has executed an instruction; others run meanwhile when it is their turn.
(define (step-thread! thread)
  (let ((machine (the-machine)))
    (define (there?) (memv thread (machine-threads machine)))
    (let ((before (machine-count machine thread)))
      (let loop ()
        (let* ((mine? (= (machine-current-thread machine) thread))
               (ending (run-machine! (if mine? 1 (machine-slice-left machine))))
               (plain? (and (eq? (reason-of ending) 'out-of-fuel) (null? (ending-arrivals ending)))))
          (cond ((and plain? (there?) (= (machine-count machine thread) before)) (loop))
                (else
                 (if (and plain? (there?)) (session-thread-set! (the-session) thread))
                 (conclude-step! ending))))))))

;; Repeats while nothing but the end of a step stopped it.
(define (repeat-step count step)
  (let loop ((left count))
    (let ((pause (step)))
      (if (and (> left 1) (eq? (pause-reason pause) 'step)) (loop (- left 1)) pause))))

;; As step, but a call counts as one with all that it does: a tail call ends where the function would have
;; returned to, a jump with a link at the address in the link.
(define (next-program! #!optional (count 1))
  (check-running!)
  (repeat-step count
               (lambda ()
                 (let* ((depth (target-depth))
                        (instruction (target-instruction (target-pc)))
                        (behind (and instruction (+ (target-pc) (instruction-length instruction))))
                        (name (and instruction (instruction-name instruction)))
                        (pause (step-program! 1)))
                   (cond ((not (eq? (pause-reason pause) 'step)) pause)
                         ((> (target-depth) depth) (run-until-return! depth 'step))
                         ((memq name '(tail tailr))
                          (if (= depth 1) (continue-program!) (run-until-return! (- depth 1) 'step)))
                         ((and (links? instruction) (not (= (target-pc) behind)))
                          (run-to! behind (lambda () (<= (target-depth) depth)) 'step))
                         (else pause))))))

;; jal, jalr and brz keep the address behind them, unless that goes to r0.
(define (links? instruction)
  (and instruction
       (memq (instruction-name instruction) '(jal jalr brz))
       (not (= 0 (car (instruction-fields instruction))))))

(define (return-address level) (vector-ref (target-activation level) 1))

;; Until the pc is at an address and `there?` holds, which ends as `reason`; or something else stops it.
(define (run-to! address there? reason)
  (define thread (session-thread (the-session)))
  (define (arrived? stop)
    (and (eq? (stop-reason stop) 'breakpoint) (= (stop-thread stop) thread) (= (target-pc) address) (there?)))
  (let ((own? (not (breakpoint-at address))))
    (if own? (target-breakpoint-set! address))
    (let ((ending (dynamic-wind
                   void
                   (lambda () (run-machine! #f arrived?))
                   (lambda () (if own? (target-breakpoint-clear! address))))))
      (if (and (null? (ending-arrivals ending)) (ending-stop ending) (arrived? (ending-stop ending)))
          (conclude! reason (ending-stop ending))
          (conclude-ending! ending)))))

;; Runs until so few activations are left. Recursion passes the return address without being there yet,
;; so the depth decides; a breakpoint of the user's own stops at any depth.
(define (run-until-return! depth reason)
  (run-to! (return-address (- (target-depth) depth)) (lambda () (<= (target-depth) depth)) reason))

;; To an address, in this activation or one that called it.
(define (run-until! address)
  (check-running!)
  (let ((depth (target-depth))) (run-to! address (lambda () (<= (target-depth) depth)) 'step)))

;; As next, but a jump back, which ends a loop's body, runs until the loop has ended.
(define (until-forward!)
  (let* ((pc (target-pc)) (depth (target-depth)) (instruction (target-instruction pc)) (pause (next-program! 1)))
    (if (and (eq? (pause-reason pause) 'step) (<= (target-pc) pc) (= (target-depth) depth) instruction)
        (run-until! (+ pc (instruction-length instruction)))
        pause)))

;; Steps until `key` of the pc is another. Where it is #f, one step.
(define (step-to-other! key count step)
  (repeat-step count
               (lambda ()
                 (let ((before (key (target-pc))))
                   (let loop ()
                     (let ((pause (step)))
                       (if (and (eq? (pause-reason pause) 'step) before (equal? (key (target-pc)) before)) (loop) pause)))))))

;; What makes a source line: all code of it, that of the macros which it calls included.
(define (line-key address)
  (let ((place (line-at address))) (and place (cons (place-file place) (place-line place)))))

;; The same, but each place in a macro is one of its own.
(define (macro-key address)
  (let ((line (line-key address))) (and line (cons line (machine-expansions-at (the-machine) address)))))

(define (step-line! #!optional (count 1)) (step-to-other! line-key count step-program!))
(define (next-line! #!optional (count 1)) (step-to-other! line-key count next-program!))
(define (step-macro! #!optional (count 1)) (step-to-other! macro-key count step-program!))
(define (next-macro! #!optional (count 1)) (step-to-other! macro-key count next-program!))

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

;; Arrived at from behind. What is behind an instruction, as a watchpoint is, shows what it was before when the
;; instruction is executed once more.
(define (arrive-back! found)
  (cond ((not found) (goto-start!))
        ((or (eq? (cdr found) 'breakpoint) (= (car found) (timeline-start (the-timeline))))
         (timeline-goto! (car found))
         (arrive!))
        (else
         (timeline-goto! (- (car found) 1))
         (let* ((stop (timeline-run! 1)) (hits (count-hits! (arrivals stop) #t)))
           (conclude-ending! (make-ending stop hits))))))

(define (call-as-it-is thunk) (thunk))

;; Where the program stopped last before here: at a breakpoint, or behind what a watchpoint or catchpoint waits
;; for. Conditions count.
(define (reverse-continue!)
  (arrive-back!
   (last-stop-before (target-count) call-as-it-is
                     (lambda (stop)
                       (let ((stopping (filter (lambda (arrival) (not (breakpoint-message (arrival-breakpoint arrival))))
                                               (arrivals stop))))
                         (and (pair? stopping) (arrival-reason stopping))))
                     (lambda (written) (may-stop? (lambda (address length) (touches? written address length)))))))

(define (reverse-step! #!optional (count 1))
  (let ((start (timeline-start (the-timeline))) (goal (- (target-count) count)))
    (if (< goal start) (goto-start!) (begin (timeline-goto! goal) (conclude! 'step #f)))))

;; Gives `search` what last-stop-before needs to look for an address alone.
(define (with-breakpoint-at address search)
  (search (lambda (thunk)
            (call-without-breakpoints
             (lambda ()
               (dynamic-wind
                (lambda () (target-breakpoint-set! address))
                thunk
                (lambda () (target-breakpoint-clear! address))))))))

;; Before the call that made the activation with so many below it: the function's first instruction, seen
;; last at that depth, less one. A tail call replaced the function, then the one before it counts.
(define (goto-call-of! level reason)
  (let* ((depth (- (target-depth) level)) (function (vector-ref (target-activation level) 0)))
    (let ((found (with-breakpoint-at function
                   (lambda (arm)
                     (last-stop-before (+ (target-count) 1) arm (lambda (stop) (= (target-depth) depth)))))))
      (if (or (not found) (<= (car found) (timeline-start (the-timeline))))
          (goto-start!)
          (begin
            (timeline-goto! (- (car found) 1))
            (if (< (target-depth) depth) (conclude! reason #f) (goto-call-of! 0 reason)))))))

;; As reverse-step!, but a call counts as one with all that it did.
(define (reverse-next! #!optional (count 1))
  (let* ((depth (target-depth))
         (linking (linking-before (target-pc)))
         (pause (reverse-step! 1))
         (pause (cond ((not (eq? (pause-reason pause) 'step)) pause)
                      ((> (target-depth) depth) (goto-call-of! (- (target-depth) depth 1) 'step))
                      ((and linking (not (= (target-pc) linking)) (jumped-back?)) (goto-last! linking depth pause))
                      (else pause))))
    (if (and (> count 1) (eq? (pause-reason pause) 'step)) (reverse-next! (- count 1)) pause)))

;; The address of a jump with a link that stands before an address, or #f.
(define (linking-before address)
  (let ((before (previous-instruction address)))
    (and before (links? before) (instruction-address before))))

(define (jumped-back?)
  (let ((instruction (target-instruction (target-pc))))
    (and instruction (memq (instruction-name instruction) '(jumpr jalr brz)) #t)))

;; The last time that the program was at an address with so many activations; else `pause` stays.
(define (goto-last! address depth pause)
  (let ((found (with-breakpoint-at address
                 (lambda (arm) (last-stop-before (target-count) arm (lambda (stop) (= (target-depth) depth)))))))
    (timeline-goto! (if found (car found) (pause-count pause)))
    (conclude! 'step #f)))

;; Back to where the source line before this one began. `back` and `forth` are a step each way.
(define (reverse-lines! count back forth)
  (define (back-while line pause)
    (if (and (eq? (pause-reason pause) 'step) line (equal? (line-key (target-pc)) line)) (back-while line (back)) pause))
  (repeat-step count
               (lambda ()
                 (let ((pause (back-while (line-key (target-pc)) (back))))
                   (if (and (eq? (pause-reason pause) 'step) (line-key (target-pc)))
                       (let ((end (back-while (line-key (target-pc)) pause)))
                         (case (pause-reason end)
                           ((step) (forth))
                           ((start) (conclude! 'step #f)) ; of the timeline, and of this line
                           (else end)))
                       pause)))))

(define (reverse-step-line! #!optional (count 1)) (reverse-lines! count reverse-step! step-program!))
(define (reverse-next-line! #!optional (count 1)) (reverse-lines! count reverse-next! next-program!))

;; To the call that made the selected activation.
(define (reverse-finish!)
  (the-timeline)
  (let ((level (session-level (the-session))))
    (if (= level (- (target-depth) 1))
        (raise-user-error "this is the outermost activation, which nobody called; `goto start` goes to its beginning"))
    (goto-call-of! level 'called)))

;; ---- the state, for the prompt ----------------------------------------------------------------------

;; "", "sieve.s: main+0x4", "sieve.s: halted 0", "sieve.s: main+0x4, what-if-1, at 20 of 45"
(define (program-state)
  (let* ((session (the-session)) (program (session-program session)) (machine (session-machine session)))
    (if (not machine)
        ""
        (text (if program (text (loaded-name program) ": ") "")
              (if (program-halted?)
                  (text "halted " (stop-exit-status (pause-stop (session-stop session))))
                  (address-text (target-pc)))
              (let ((timeline (and (session-timeline session) (the-timeline))))
                (text (if (and timeline (timeline-origin timeline)) (text ", " (timeline-name timeline)) "")
                      (if (timeline-past?) (text ", at " (target-count) " of " (timeline-end timeline)) "")))))))
