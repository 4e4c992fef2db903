;; Looking for what happened in the past of the program: the past is run again, and watched or observed.
;;
;;   (call-and-come-back
;;    (lambda () (last-events-before (target-count) '((write #x20000 #x20007)))))   who wrote there last
;;
;; Going back, stretches between moments are looked at from the newest to the oldest; in one, windows from small to
;; large: what is looked for is mostly near, and where it is frequent, few of its occurrences are met. A stretch in
;; which the pages in question were not written at all is left out.

(module debugger/search)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/breakpoints)
(use debugger/timeline)

;; ---- Ctrl-C ----------------------------------------------------------------------------------------------

;; Ctrl-C ends a search, wherever it is, by an error, behind which the program stands where it stood. While Scheme works
;; on what must be whole, it is noted, and ends the machine's next run; a condition of the user's is left at once.

(define (interrupted!)
  (raise-user-error "interrupted at " (target-count) " instructions, while looking at the past"))

(define (call-interruptibly-outside thunk) (call-escapable thunk interrupted!))

(define (call-undisturbed thunk)
  (call-interruptibly (lambda () (parameterize ((current-user-interrupt-handler void)) (thunk)))))

;; Does thunk, which may take the machine anywhere in its past; afterwards all is as it was.
(define (call-and-come-back thunk)
  (let* ((timeline (the-timeline)) (session (the-session)) (count (target-count))
         (kept (list (session-stop session) (session-level session) (session-examined session) (session-listed session))))
    (leave-present! timeline)
    (dynamic-wind
     void
     (lambda ()
       (call-interruptibly
        (lambda () (parameterize ((keeping-moments #f)) (call-without-breakpoints thunk)))))
     (lambda ()
       (call-undisturbed (lambda () (timeline-switch! timeline count)))
       (for-each (lambda (set value) (set session value))
                 (list session-stop-set! session-level-set! session-examined-set! session-listed-set!)
                 kept)))))

;; Whether memory that was written, as a moment has it, has to do with a range.
(define (touches? written address length)
  (or (not written)
      (any (lambda (range) (and (< (car range) (+ address length)) (< address (+ (car range) (cdr range))))) written)))

;; ---- backwards -----------------------------------------------------------------------------------------

;; The windows of a stretch, each from the beginning of the one before. The largest takes the rest.
(define windows (list (expt 2 12) (expt 2 16) (expt 2 20)))

;; What (look end) gives first that is not #f, of spans that end at `limit` and before it; the machine stands where a
;; span begins. Of a stretch in which only this memory was written, (possible? written) says whether it may have
;; what is looked for.
(define (search-backward limit possible? look)
  (let ((timeline (the-timeline)))
    (let next ((moments (timeline-moments timeline)) (newer #f) (high limit))
      (cond ((null? moments) #f)
            ((or (>= (moment-count (car moments)) limit)
                 (and newer (not (possible? (moment-written newer)))))
             (next (cdr moments) (car moments) (min high (moment-count (car moments)))))
            (else
             (or (search-stretch timeline (car moments) high look)
                 (next (cdr moments) (car moments) (moment-count (car moments)))))))))

(define (search-stretch timeline moment high look)
  (let* ((low (moment-count moment)) (near (max low (- high (last windows)))))
    (restore-moment! timeline moment)
    (run-exactly-to! timeline near)
    (let ((snapshot (machine-snapshot (the-machine))))
      (define (look-from from end)
        (if (not (= (target-count) from))
            (begin
              (target-restore! snapshot)
              (timeline-at-set! timeline near)
              (run-exactly-to! timeline from)))
        (look end))
      (let ((found (let next-window ((sizes windows) (end high))
                     (and (pair? sizes)
                          (let ((from (max near (- high (car sizes)))))
                            (or (and (< from end) (look-from from end)) (next-window (cdr sizes) from)))))))
        (machine-free-snapshot! snapshot)
        (cond (found)
              ((= near low) #f)
              (else (restore-moment! timeline moment) (look near)))))))

;; The last count below `limit` at which the program would stop with what `arm` sets for the time that it
;; does a thunk, and for which `accept?` holds of the stop, as (count . what it gave); #f: there is none. The
;; stop is #f where a span begins at a breakpoint. `possible?` as for search-backward.
(define (last-stop-before limit arm accept? #!optional (possible? (lambda (written) #t)))
  (let ((timeline (the-timeline)) (count (target-count)) (done? #f))
    (define (search)
      (let ((found (parameterize ((keeping-moments #f))
                     (search-backward limit possible?
                                      (lambda (end) (arm (lambda () (scan! timeline end limit accept?))))))))
        (set! done? #t)
        found))
    (leave-present! timeline)
    (dynamic-wind
     void
     (lambda () (call-interruptibly search))
     (lambda () (if (not done?) (call-undisturbed (lambda () (timeline-goto! count))))))))

(define (scan! timeline end limit accept?)
  (define (accepted stop found)
    (let ((accepted (call-interruptibly-outside (lambda () (accept? stop))))) (if accepted (cons (target-count) accepted) found)))
  (breakpoints-refresh!)
  (let loop ((found (and (memv (target-pc) (machine-breakpoints (the-machine) (target-space))) (accepted #f #f))))
    (let* ((left (- end (target-count))) (stop (and (> left 0) (run-armed! left))))
      (timeline-at-set! timeline (target-count))
      (if (and stop (eq? (stop-reason stop) 'interrupted)) (interrupted!))
      (if (and stop (memq (stop-reason stop) '(breakpoint watchpoint observed)))
          (loop (if (< (target-count) limit) (accepted stop found) found))
          found))))

(define question-limit 4096) ; events that are kept of one span

;; What happened last before a count, the newest first: up to some thousands of events, but all that are left
;; when there are fewer; '() for none. To be called within call-and-come-back.
(define (last-events-before limit filters)
  (let ((timeline (the-timeline)))
    (define (possible? written)
      (any (lambda (filter)
             (or (not (eq? (car filter) 'write))
                 (null? (cdr filter))
                 (touches? written (cadr filter) (+ 1 (- (caddr filter) (cadr filter))))))
           filters))
    (or (search-backward limit possible?
                         (lambda (end)
                           (let ((observation (make-observation filters stop-at: #f keep: question-limit)))
                             (observe-to! timeline end observation)
                             (let ((events (observation-events observation))) (and (pair? events) (reverse events))))))
        '())))

;; ---- observing -------------------------------------------------------------------------------------------

;; Runs from where the machine is to a count, over no anchor; gives the stop.
(define (observe-to! timeline count observation)
  (let ((stop (machine-observe! (the-machine) observation (- count (target-count)) every-thread)))
    (session-thread-set! (the-session) (stop-thread stop))
    (timeline-at-set! timeline (target-count))
    (if (eq? (stop-reason stop) 'interrupted) (interrupted!))
    (if (not (or (memq (stop-reason stop) '(out-of-fuel observed)) (= (target-count) count)))
        (raise-user-error (or (stop-message stop) (stop-reason stop))
                          " at " (target-count) " instructions, while looking at the past"))
    stop))

;; Runs from one count to another, and calls (visit observation) behind each instruction with which the observation
;; has as many events as it wants, until that gives something else than #f; gives that. (observe) gives the
;; observation, anew after each visit. To be called within call-and-come-back.
(define (observe-span from to observe visit)
  (let* ((timeline (the-timeline)) (end (min to (timeline-end timeline))))
    (move-to! timeline (max from (timeline-start timeline)))
    (let loop ((observation (observe)))
      (let* ((anchor (next-anchor timeline (target-count)))
             (stop (observe-to! timeline (if anchor (min end (moment-count anchor)) end) observation))
             (visited? (eq? (stop-reason stop) 'observed))
             (answer (and visited? (visit observation))))
        (if (and anchor (= (target-count) (moment-count anchor))) (restore-moment! timeline anchor))
        (cond (answer)
              ((< (target-count) end) (loop (if visited? (observe) observation)))
              (else #f))))))
