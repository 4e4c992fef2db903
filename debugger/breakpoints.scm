;; What stops a program: breakpoints (before an instruction), watchpoints (behind one that touched memory or a
;; register, or made a condition hold) and catchpoints (behind a call, a return, a host call; at a trap). All
;; are records of one type, told apart by their kind. Making one gives the record; removing takes it again.
;;
;;   (define b (breakpoint-add! (symbol-value "main") "main"))
;;   (breakpoint-remove! b)
;;
;; They belong to the session, not to the machine: a program that is loaded again gets them again. The machine
;; itself knows breakpoints and watched memory, at no cost elsewhere; while one of the other kinds is enabled,
;; programs run observed, instruction by instruction.

(module debugger/breakpoints)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/value)

(define-type breakpoint
  constructor: make-breakpoint
  id
  kind       ; break, watch, register, thread-register, condition, call, return, host-call, trap
  where      ; as it was typed
  resolve    ; gives the address anew, in another program
  address    ; of the instruction, of the first byte, of the function; the register's number; #f: any
  length     ; of what is watched, in bytes
  access     ; read, write, both or change
  number     ; the machine's for a watched range; #f: it has none now
  old        ; the bytes when they were last looked at; of a condition, whether it held
  condition  ; as text, or #f
  test       ; a thunk for it, or #f
  enabled?
  temporary? ; goes when it is hit
  hits
  ignore     ; so many hits do not stop
  actions    ; command lines, done at the stop
  message)   ; what is shown instead of stopping, or #f

(define (breakpoints) (session-breakpoints (the-session)))

(define (kind? . kinds) (lambda (breakpoint) (and (memq (breakpoint-kind breakpoint) kinds) #t)))
(define instruction? (kind? 'break))
(define memory? (kind? 'watch))
(define observed? (kind? 'register 'thread-register 'condition 'call 'return 'host-call))

(define (breakpoint-at address)
  (find (lambda (breakpoint)
          (and (instruction? breakpoint) (breakpoint-enabled? breakpoint) (= (breakpoint-address breakpoint) address)))
        (breakpoints)))

(define (breakpoint-with-id id)
  (or (find (lambda (breakpoint) (= (breakpoint-id breakpoint) id)) (breakpoints))
      (raise-user-error "there is no breakpoint, watchpoint or catchpoint " id "; `breakpoints` lists them")))

;; ---- in the machine --------------------------------------------------------------------------------

(define (arm! breakpoint)
  (cond ((not (breakpoint-enabled? breakpoint)))
        ((instruction? breakpoint) (target-breakpoint-set! (breakpoint-address breakpoint)))
        ((memory? breakpoint)
         (breakpoint-number-set!
          breakpoint
          (target-watchpoint-set! (breakpoint-address breakpoint) (breakpoint-length breakpoint)
                                  (if (eq? (breakpoint-access breakpoint) 'change) 'write (breakpoint-access breakpoint))))))
  (refresh! breakpoint))

;; Takes it out of the machine. Another one at the same address must be armed again.
(define (disarm! breakpoint)
  (cond ((and (instruction? breakpoint)
              (memv (breakpoint-address breakpoint) (machine-breakpoints (the-machine) (target-space))))
         (target-breakpoint-clear! (breakpoint-address breakpoint)))
        ((breakpoint-number breakpoint)
         (target-watchpoint-clear! (breakpoint-number breakpoint))
         (breakpoint-number-set! breakpoint #f))))

(define (arm-those-at! address)
  (for-each (lambda (breakpoint)
              (if (and (instruction? breakpoint) (eqv? (breakpoint-address breakpoint) address)) (arm! breakpoint)))
            (breakpoints)))

(define (watched-bytes breakpoint)
  (target-read-prefix (breakpoint-address breakpoint) (breakpoint-length breakpoint)))

;; ---- making and removing ---------------------------------------------------------------------------

;; resolve: gives the address, #f for kinds that have none. condition: text, of a breakpoint that stops only
;; where it holds, or of a watchpoint on a condition.
(define (add-breakpoint! kind where resolve #!key (length 0) (access 'write) (condition #f) (temporary? #f) (message #f))
  (let* ((test (and condition (word->predicate condition)))
         (session (the-session))
         (breakpoint (make-breakpoint #f kind where resolve (resolve) length access #f #f condition test
                                      #t temporary? 0 0 '() message)))
    (if (eq? kind 'condition) (test)) ; a mistake in it is told now
    (arm! breakpoint)
    (breakpoint-id-set! breakpoint (new-id!))
    (session-breakpoints-set! session (append (session-breakpoints session) (list breakpoint)))
    breakpoint))

;; For scripts. One at the same address is given again rather than made twice.
(define (breakpoint-add! address where)
  (or (breakpoint-at address)
      (add-breakpoint! 'break where (again where address))))

(define (watchpoint-add! address length access where)
  (add-breakpoint! 'watch where (again where address) length: length access: access))

;; The first time the address is known.
(define (again where address)
  (let ((first? #t))
    (lambda () (if first? (begin (set! first? #f) address) (word->integer where)))))

(define (breakpoint-condition-set-text! breakpoint condition)
  (breakpoint-test-set! breakpoint (and condition (word->predicate condition)))
  (breakpoint-condition-set! breakpoint condition))

(define (breakpoint-enable! breakpoint)
  (if (not (breakpoint-enabled? breakpoint))
      (begin (breakpoint-enabled?-set! breakpoint #t) (arm! breakpoint))))

(define (breakpoint-disable! breakpoint)
  (disarm! breakpoint)
  (breakpoint-enabled?-set! breakpoint #f)
  (arm-those-at! (breakpoint-address breakpoint)))

(define (breakpoint-remove! breakpoint)
  (let ((session (the-session)))
    (disarm! breakpoint)
    (session-breakpoints-set! session (delete breakpoint (session-breakpoints session) eq?))
    (arm-those-at! (breakpoint-address breakpoint))))

(define (breakpoints-clear!) (for-each breakpoint-remove! (breakpoints)))

;; Sets all of them in a new machine; gives, as they were typed, those that mean nothing there any more.
(define (breakpoints-install!)
  (let* ((session (the-session)) (all (session-breakpoints session)))
    (session-breakpoints-set! session '())
    (filter-map
     (lambda (breakpoint)
       (with-exception-catcher
        (lambda (exception) (breakpoint-where breakpoint))
        (lambda ()
          (breakpoint-number-set! breakpoint #f)
          (breakpoint-address-set! breakpoint ((breakpoint-resolve breakpoint)))
          (arm! breakpoint)
          (session-breakpoints-set! session (append (session-breakpoints session) (list breakpoint)))
          #f)))
     all)))

;; Memory or registers became others by other means than by running.
(define (breakpoints-refresh!) (for-each refresh! (breakpoints)))

(define (refresh! breakpoint)
  (cond ((memory? breakpoint) (breakpoint-old-set! breakpoint (watched-bytes breakpoint)))
        ((eq? (breakpoint-kind breakpoint) 'condition) (breakpoint-old-set! breakpoint (holds? breakpoint)))))

;; ---- running ---------------------------------------------------------------------------------------

(define armed? (make-parameter #t))

;; Does thunk while nothing stops the program.
(define (call-without-breakpoints thunk)
  (if (armed?)
      (let ((all (breakpoints)))
        (parameterize ((armed? #f))
          (dynamic-wind
           (lambda () (for-each disarm! all))
           thunk
           (lambda () (for-each arm! all)))))
      (thunk)))

;; What the last run was told by the machine, where it ran observed.
(define seen '())

(define (enabled-and . tests)
  (filter (lambda (breakpoint)
            (and (breakpoint-enabled? breakpoint) (every (lambda (test) (test breakpoint)) tests)))
          (breakpoints)))

;; How the machine is run where nothing has to be observed, for whoever looks at runs in another way.
(define unobserved-run (make-parameter (lambda (fuel thread) (machine-run! (the-machine) fuel thread))))

;; As machine-run!, for all threads, and behind what breakpoints that the machine does not know wait for, it stops
;; as `observed`. The thread that stopped becomes the session's.
(define (run-armed! fuel)
  (let ((watching (if (armed?) (enabled-and observed?) '())))
    (set! seen '())
    (machine-catch-traps! (the-machine) (if (armed?) (caught-traps) '()))
    (let ((stop (if (null? watching) ((unobserved-run) fuel every-thread) (run-watching! watching fuel))))
      (session-thread-set! (the-session) (stop-thread stop))
      stop)))

;; Kinds of traps that stop the program even where it has a handler for them.
(define (caught-traps)
  (map (lambda (breakpoint) (or (breakpoint-address breakpoint) #t))
       (enabled-and (lambda (breakpoint) (eq? (breakpoint-kind breakpoint) 'trap)))))

;; Registers are those of the session's thread.
(define (run-watching! watching fuel)
  (let* ((registers? (any (lambda (breakpoint) (memq (breakpoint-kind breakpoint) '(register thread-register condition))) watching))
         (observation (make-observation (append-map filters-for watching) stop-at: 1
                                        of-thread: (if registers? (session-thread (the-session)) every-thread)))
         (stop (machine-observe! (the-machine) observation fuel every-thread)))
    (set! seen (observation-events observation))
    stop))

(define (filters-for breakpoint)
  (let ((kind (breakpoint-kind breakpoint)) (address (breakpoint-address breakpoint)))
    (cond ((eq? kind 'condition) (condition-filters (breakpoint-condition breakpoint)))
          (address (list (list kind address address)))
          (else (list (list kind))))))

;; A condition on registers alone can only change where they are written, or the window moves.
(define (condition-filters condition)
  (let ((registers (condition-registers condition)))
    (if registers
        (append '((call) (return))
                (map (lambda (number) (let ((index (+ (target-window) number))) (list 'register index index))) registers))
        '((execute)))))

;; Whether anything could stop a program that wrote only the memory that `written?` of address and length holds for.
(define (may-stop? written?)
  (any (lambda (breakpoint)
         (or (not (memory? breakpoint))
             (not (memq (breakpoint-access breakpoint) '(write change)))
             (written? (breakpoint-address breakpoint) (breakpoint-length breakpoint))))
       (enabled-and)))

;; ---- arriving --------------------------------------------------------------------------------------

;; A breakpoint where the program has arrived. detail: the event; of watched memory (access . bytes before).
(define-type arrival
  constructor: make-arrival
  breakpoint detail)

;; Those whose condition holds, the oldest first. What is watched is looked at anew.
(define (arrivals stop)
  (let ((found (map (lambda (breakpoint) (cons breakpoint (arrived breakpoint stop))) (enabled-and))))
    (filter-map (lambda (entry)
                  (and (cdr entry)
                       (or (eq? (breakpoint-kind (car entry)) 'condition) (holds? (car entry)))
                       (make-arrival (car entry) (cdr entry))))
                found)))

;; stop #f: the program was brought there without running.
(define (arrived breakpoint stop)
  (let* ((reason (if stop (stop-reason stop) 'breakpoint))
         (goes-on? (memq reason '(breakpoint watchpoint observed out-of-fuel))))
    (case (breakpoint-kind breakpoint)
      ((break) (and goes-on? (= (breakpoint-address breakpoint) (target-pc))))
      ((trap) (and (eq? reason 'trap)
                   (or (not (breakpoint-address breakpoint)) (eq? (stop-trap stop) (breakpoint-address breakpoint)))))
      ((watch) (and (eq? reason 'watchpoint) (touched breakpoint stop)))
      ((condition)
       (let ((before (breakpoint-old breakpoint)) (now (holds? breakpoint)))
         (breakpoint-old-set! breakpoint now)
         (and goes-on? now (not before))))
      (else (and goes-on? (find (lambda (event) (event-for? breakpoint event)) seen))))))

;; The machine names the first watchpoint that was touched; of others only a change can be seen.
(define (touched breakpoint stop)
  (let* ((old (breakpoint-old breakpoint))
         (named? (eqv? (breakpoint-number breakpoint) (stop-watchpoint stop)))
         (changed? (and (or named? (eq? (stop-access stop) 'write)) (not (equal? old (watched-bytes breakpoint))))))
    (if changed? (breakpoint-old-set! breakpoint (watched-bytes breakpoint)))
    (and (case (breakpoint-access breakpoint)
           ((change) changed?)
           ((read) named?)
           (else (or named? changed?)))
         (cons (if named? (stop-access stop) 'write) old))))

(define (event-for? breakpoint event)
  (and (eq? (event-kind event) (breakpoint-kind breakpoint))
       (or (not (breakpoint-address breakpoint)) (= (event-place event) (breakpoint-address breakpoint)))
       (or (not (eq? (breakpoint-access breakpoint) 'change)) (not (= (event-before event) (event-after event))))))

;; A condition that cannot be told holds, so that the mistake is seen, once.
(define (holds? breakpoint)
  (or (not (breakpoint-test breakpoint))
      (with-exception-catcher
       (lambda (exception)
         (display (text "the condition of " (breakpoint-where breakpoint) " cannot be told, and is not looked at any more: "
                        (error-line exception) "\n"))
         (breakpoint-test-set! breakpoint #f)
         #t)
       (breakpoint-test breakpoint))))

;; Counts arrivals as hits; gives those that are to stop the program. Going back nothing is ignored, for the
;; hits that are to be ignored are the first ones; and nothing is logged twice.
(define (count-hits! arrivals back?)
  (filter (lambda (arrival)
            (let ((breakpoint (arrival-breakpoint arrival)))
              (breakpoint-hits-set! breakpoint (+ 1 (breakpoint-hits breakpoint)))
              (cond ((breakpoint-message breakpoint)
                     (if (not back?) (display (text (filled-in (breakpoint-message breakpoint)) "\n")))
                     #f)
                    ((and (not back?) (> (breakpoint-ignore breakpoint) 0))
                     (breakpoint-ignore-set! breakpoint (- (breakpoint-ignore breakpoint) 1))
                     #f)
                    (else #t))))
          arrivals))

;; "n is {r1}" with what stands in braces replaced by its value.
(define (filled-in message)
  (let* ((open (string-index message #\{)) (close (and open (string-index message #\} open))))
    (if close
        (text (substring message 0 open)
              (with-exception-catcher
               (lambda (exception) (text "(" (error-line exception) ")"))
               (lambda () (shown (word->value (substring message (+ open 1) close)))))
              (filled-in (substring message (+ close 1) (string-length message))))
        message)))

(define (shown value) (if (and (integer? value) (exact? value)) (text (s64 value)) (written value)))
