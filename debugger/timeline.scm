;; The timeline of the program: its past, kept without having been asked for.
;;
;;   (timeline-begin!)      what is now is its start; load and run do this
;;   (timeline-run! fuel)   runs, and takes snapshots on the way
;;   (timeline-goto! 1000)  the state at 1000 instructions, exactly
;;
;; A *moment* is a snapshot with its instruction count. Any other count is reached from the moment before it,
;; by running the difference; host calls on the way are served from the machine's log. Moments are thinned so
;; that they stay within bounds, the more the farther they lie from the end. The *present* is the highest
;; count that the program has come to; below it the machine is *in the past*.
;;
;; A change from outside (a register set at the prompt) cannot be had by running, so the state behind it is
;; kept as an *anchor*, a moment that is not thinned and over which nothing is re-run. In the past such a
;; change makes another future: what was ahead is dropped.

(module debugger/timeline)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/breakpoints)

(define-type moment
  constructor: make-moment
  count
  snapshot
  anchor?)

(define-type timeline
  constructor: make-timeline
  moments ; the newest first; behind a change, two may have the same count
  spacing ; instructions between moments
  bytes   ; that snapshots held when one was taken last
  end     ; the count of the present
  pause   ; the session's at the present, while the machine is in the past
  at      ; the machine's count when it was seen last
  changes ; the machine's count of changes from outside, then
  marks)  ; ((name . count) …)

;; Bounds, to be set before a program is loaded: bytes that moments may hold (what one stretch between
;; moments writes comes on top), bytes of the log of host calls, number of moments.
(define timeline-byte-limit (make-parameter (expt 2 28)))
(define timeline-log-limit (make-parameter (expt 2 26)))
(define timeline-moment-limit (make-parameter 200))
;; Whether new timelines are kept at all.
(define timeline-wanted (make-parameter #t))

;; A stretch of the fast loop that takes some milliseconds. Where a program writes so much that keeping its
;; pages would cost time, stretches get longer: so many instructions for each byte that was kept.
(define least-spacing (make-parameter (expt 2 24)))
(define greatest-spacing (expt 2 32))
(define instructions-a-kept-byte 16)

(define (changes) (cdr (assq 'changes (machine-recording (the-machine) (session-thread (the-session))))))
(define (log-begin) (cdr (assq 'begin (machine-recording (the-machine) (session-thread (the-session))))))

;; ---- beginning -------------------------------------------------------------------------------------

;; `begin-log!` begins the machine's log of host calls.
(define (timeline-begin! #!optional (begin-log! (lambda () (machine-record! (the-machine) (timeline-log-limit)))))
  (let ((session (the-session)))
    (if (timeline-wanted)
        (let ((count (target-count)))
          (begin-log!)
          (let ((timeline (make-timeline '() (least-spacing) 0 count #f count 0 '())))
            (session-timeline-set! session timeline)
            (take-moment! timeline #f)))
        (begin
          (machine-record! (the-machine) #f)
          (session-timeline-set! session #f)))))

(define (the-timeline)
  (the-machine)
  (let ((timeline (session-timeline (the-session))))
    (if (not timeline) (raise-user-error "no timeline is kept of this program; `run` begins one"))
    (notice-changes! timeline)
    (drop-forgotten! timeline)
    timeline))

;; What lies before the log of host calls cannot be run from; the present always can.
(define (drop-forgotten! timeline)
  (if (< (timeline-start timeline) (log-begin))
      (begin
        (if (< (moment-count (car (timeline-moments timeline))) (target-count)) (take-moment! timeline #f))
        (thin! timeline))))

;; ---- moments ---------------------------------------------------------------------------------------

(define (newest-until timeline count)
  (find (lambda (moment) (<= (moment-count moment) count)) (timeline-moments timeline)))

(define (timeline-start timeline) (moment-count (car (reverse (timeline-moments timeline)))))

(define (take-moment! timeline anchor?)
  (let* ((moment (make-moment (target-count) (machine-snapshot (the-machine)) anchor?))
         (count (moment-count moment))
         (bytes (machine-snapshot-bytes (the-machine)))
         (grown (- bytes (timeline-bytes timeline))))
    (receive (newer older) (split-at-count (timeline-moments timeline) count)
      (timeline-moments-set! timeline (append newer (cons moment older))))
    (timeline-spacing-set! timeline (min greatest-spacing (max (least-spacing) (* instructions-a-kept-byte grown))))
    (thin! timeline)
    (timeline-bytes-set! timeline (machine-snapshot-bytes (the-machine)))))

(define (split-at-count moments count)
  (let loop ((moments moments) (newer '()))
    (if (and (pair? moments) (> (moment-count (car moments)) count))
        (loop (cdr moments) (cons (car moments) newer))
        (values (reverse newer) moments))))

(define (drop-moment! timeline moment)
  (timeline-moments-set! timeline (delete moment (timeline-moments timeline) eq?))
  (machine-free-snapshot! (moment-snapshot moment)))

(define (too-much? timeline)
  (or (> (length (timeline-moments timeline)) (timeline-moment-limit))
      (> (machine-snapshot-bytes (the-machine)) (timeline-byte-limit))))

;; The moment that is missed least: the gap that it leaves is small for how far it lies from the end. The
;; first, the last and anchors stay.
(define (least-missed timeline)
  (let loop ((moments (timeline-moments timeline)) (best #f) (best-cost #f))
    (if (or (null? moments) (null? (cdr moments)) (null? (cddr moments)))
        best
        (let* ((newer (car moments)) (moment (cadr moments)) (older (caddr moments))
               (cost (/ (exact->inexact (- (moment-count newer) (moment-count older)))
                        (+ (least-spacing) (- (timeline-end timeline) (moment-count moment))))))
          (if (and (not (moment-anchor? moment)) (or (not best) (< cost best-cost)))
              (loop (cdr moments) moment cost)
              (loop (cdr moments) best best-cost))))))

(define (thin! timeline)
  (let ((moments (timeline-moments timeline)))
    (if (and (pair? (cdr moments)) (< (timeline-start timeline) (log-begin)))
        (begin (drop-moment! timeline (car (reverse moments))) (thin! timeline))
        (if (and (pair? (cdr moments)) (too-much? timeline))
            (begin
              (drop-moment! timeline (or (least-missed timeline) (car (reverse moments))))
              (thin! timeline))))))

;; ---- changes from outside --------------------------------------------------------------------------

;; What happened to the machine other than through this module.
(define (notice-changes! timeline)
  (let ((count (target-count)) (now (changes)))
    (cond ((not (= now (timeline-changes timeline)))
           (for-each (lambda (moment)
                       (if (> (moment-count moment) count) (drop-moment! timeline moment)))
                     (timeline-moments timeline))
           (if (null? (timeline-moments timeline))
               (timeline-begin-again! timeline)
               (begin
                 (timeline-changes-set! timeline now)
                 (timeline-end-set! timeline count)
                 (timeline-at-set! timeline count)
                 (timeline-pause-set! timeline #f)
                 (timeline-marks-set! timeline
                                      (filter (lambda (mark) (<= (cdr mark) count)) (timeline-marks timeline)))
                 (take-moment! timeline #t))))
          ;; Somebody has restored a snapshot: whether of this past, nobody can tell.
          ((< count (timeline-at timeline)) (timeline-begin-again! timeline))
          (else (note-position! timeline)))))

(define (timeline-begin-again! timeline)
  (let ((count (target-count)))
    (machine-record! (the-machine) (timeline-log-limit))
    (timeline-moments-set! timeline '())
    (timeline-marks-set! timeline '())
    (timeline-changes-set! timeline 0)
    (timeline-end-set! timeline count)
    (timeline-at-set! timeline count)
    (timeline-pause-set! timeline #f)
    (take-moment! timeline #f)))

(define (note-position! timeline)
  (let ((count (target-count)))
    (timeline-at-set! timeline count)
    (if (>= count (timeline-end timeline))
        (begin (timeline-end-set! timeline count) (timeline-pause-set! timeline #f)))))

;; ---- running ---------------------------------------------------------------------------------------

;; The anchor that comes next behind a count, or #f.
(define (next-anchor timeline count)
  (let loop ((moments (timeline-moments timeline)) (found #f))
    (cond ((or (null? moments) (<= (moment-count (car moments)) count)) found)
          ((moment-anchor? (car moments)) (loop (cdr moments) (car moments)))
          (else (loop (cdr moments) found)))))

(define (restore-moment! timeline moment)
  (machine-restore! (the-machine) (moment-snapshot moment))
  (timeline-at-set! timeline (moment-count moment)))

;; As machine-run!, for the session's thread.
(define (timeline-run! fuel)
  (let ((timeline (session-timeline (the-session))))
    (if timeline
        (begin
          (notice-changes! timeline)
          (call-interruptibly (lambda () (run-stretches! timeline fuel))))
        (run-armed! fuel))))

;; Off while the list of moments is being gone through.
(define keeping-moments (make-parameter #t))

(define (run-stretches! timeline fuel)
  (let* ((count (target-count))
         (due (if (keeping-moments)
                  (max (+ count 1) (+ (moment-count (newest-until timeline count)) (timeline-spacing timeline)))
                  (+ count greatest-spacing)))
         (anchor (next-anchor timeline count))
         (goal (if anchor (min due (moment-count anchor)) due))
         (stretch (if fuel (min fuel (- goal count)) (- goal count)))
         (stop (run-armed! stretch))
         (now (target-count))
         (left (and fuel (- fuel (- now count)))))
    (cond ((and anchor (= now (moment-count anchor))) (restore-moment! timeline anchor))
          ((and (= now due) (keeping-moments)) (take-moment! timeline #f)))
    (note-position! timeline)
    (cond ((or (not (eq? (stop-reason stop) 'out-of-fuel)) (eqv? left 0)) stop)
          ((machine-pause-for-breakpoint (the-machine) stop))
          (else (run-stretches! timeline left)))))

;; ---- going back and forth --------------------------------------------------------------------------

(define (timeline-past?)
  (let ((timeline (session-timeline (the-session))))
    (and timeline
         (begin (notice-changes! timeline) (< (target-count) (timeline-end timeline))))))

;; Before the machine leaves the present, that is kept.
(define (leave-present! timeline)
  (if (and (= (target-count) (timeline-end timeline)) (not (timeline-pause timeline)))
      (begin
        (if (< (moment-count (car (timeline-moments timeline))) (target-count)) (take-moment! timeline #f))
        (timeline-pause-set! timeline (list (session-stop (the-session)))))))

;; Runs to a count ahead, past whatever would stop it.
(define (run-exactly-to! timeline count)
  (call-without-breakpoints
   (lambda ()
     (let loop ()
       (if (< (target-count) count)
           (let ((stop (run-stretches! timeline (- count (target-count)))))
             (if (not (eq? (stop-reason stop) 'out-of-fuel))
                 ;; beyond tests: moments lie so near that nobody gets between to interrupt
                 (raise-user-error
                  (if (eq? (stop-reason stop) 'interrupted) "interrupted" (or (stop-message stop) (stop-reason stop)))
                  " on the way to " count "; the program stands at " (target-count)))
             (loop)))))))

(define (move-to! timeline count)
  (let ((moment (newest-until timeline count)))
    (if (not (and (<= (target-count) count) (<= (moment-count moment) (target-count))))
        (restore-moment! timeline moment))
    (keep-near! timeline count)
    (run-exactly-to! timeline count)))

;; Who goes to a point mostly looks around there: a moment a little before it makes the next steps back quick.
(define (keep-near! timeline count)
  (let ((lead (quotient (least-spacing) 64)))
    (if (> (- count (target-count)) (* 4 lead))
        (begin
          (run-exactly-to! timeline (- count lead))
          (if (< (moment-count (newest-until timeline (target-count))) (target-count))
              (take-moment! timeline #f))))))

;; The state at an instruction count of this timeline.
(define (timeline-goto! count)
  (let* ((timeline (the-timeline)) (start (timeline-start timeline)) (end (timeline-end timeline)))
    (if (not (<= start count end))
        (raise-user-error "the timeline goes from " start " to " end " instructions; " count " is not on it"))
    (leave-present! timeline)
    (move-to! timeline count)
    (session-level-set! (the-session) 0)
    (session-examined-set! (the-session) #f)
    (session-listed-set! (the-session) #f)
    (breakpoints-refresh!)
    (if (and (= count end) (timeline-pause timeline))
        (begin
          (session-stop-set! (the-session) (car (timeline-pause timeline)))
          (timeline-pause-set! timeline #f))
        (session-stop-set! (the-session) #f))
    count))

;; ---- looking for what happened last ------------------------------------------------------------------

;; Windows that end at the limit, from small to large: what is looked for is mostly near, and where it is
;; frequent, only few of its occurrences are met.
(define windows (list (expt 2 12) (expt 2 16) (expt 2 20)))

;; The last count below `limit` at which the program would stop with what `arm` sets for the time that it
;; does a thunk, and for which `accept?` holds of the stop, as (count . what it gave); #f: there is none. The
;; stop is #f where a window begins at a breakpoint.
(define (last-stop-before limit arm accept?)
  (let ((timeline (the-timeline)))
    (leave-present! timeline)
    (parameterize ((keeping-moments #f))
     (let next-moment ((moments (timeline-moments timeline)) (high limit))
      (cond ((null? moments) #f)
            ((>= (moment-count (car moments)) limit) (next-moment (cdr moments) high))
            (else
             (let ((low (moment-count (car moments))))
               (or (let next-window ((sizes windows))
                     (let ((from (if (pair? sizes) (max low (- high (car sizes))) low)))
                       (or (begin
                             (restore-moment! timeline (car moments))
                             (run-exactly-to! timeline from)
                             (arm (lambda () (scan! timeline from high limit accept?))))
                           (and (> from low) (next-window (cdr sizes))))))
                   (next-moment (cdr moments) low)))))))))

(define (scan! timeline from high limit accept?)
  (define (accepted stop found)
    (let ((accepted (accept? stop))) (if accepted (cons (target-count) accepted) found)))
  (breakpoints-refresh!)
  (let loop ((found (and (memv (target-pc) (machine-breakpoints (the-machine) (target-space))) (accepted #f #f))))
    (let* ((left (- high (target-count))) (stop (and (> left 0) (run-armed! left))))
      (timeline-at-set! timeline (target-count))
      (if (and stop (memq (stop-reason stop) '(breakpoint watchpoint observed)))
          (loop (if (< (target-count) limit) (accepted stop found) found))
          found))))

;; ---- questions -------------------------------------------------------------------------------------

;; Does thunk, which may take the machine anywhere in its past; afterwards all is as it was.
(define (call-and-come-back thunk)
  (let* ((timeline (the-timeline)) (session (the-session)) (count (target-count))
         (kept (list (session-stop session) (session-level session) (session-examined session) (session-listed session))))
    (leave-present! timeline)
    (dynamic-wind
     void
     (lambda () (parameterize ((keeping-moments #f)) (call-without-breakpoints thunk)))
     (lambda ()
       (timeline-goto! count)
       (for-each (lambda (set value) (set session value))
                 (list session-stop-set! session-level-set! session-examined-set! session-listed-set!)
                 kept)))))

;; Runs from where the machine is to a count, over no anchor; gives the stop.
(define (observe-to! timeline count observation)
  (let ((stop (machine-observe! (the-machine) observation (- count (target-count)) (session-thread (the-session)))))
    (timeline-at-set! timeline (target-count))
    (if (not (or (memq (stop-reason stop) '(out-of-fuel observed)) (= (target-count) count)))
        (raise-user-error (if (eq? (stop-reason stop) 'interrupted) "interrupted" (or (stop-message stop) (stop-reason stop)))
                          " at " (target-count) " instructions, while looking at the past"))
    stop))

(define question-limit 4096) ; events that are kept of one window

;; What happened last before a count, the newest first: up to some thousands of events, but all that are left
;; when there are fewer; '() for none. To be called within call-and-come-back.
(define (last-events-before limit filters)
  (let ((timeline (the-timeline)))
    (define (events-in moment from high)
      (restore-moment! timeline moment)
      (run-exactly-to! timeline from)
      (let ((observation (make-observation filters stop-at: #f keep: question-limit)))
        (observe-to! timeline high observation)
        (reverse (observation-events observation))))
    (let next-moment ((moments (timeline-moments timeline)) (high limit))
      (cond ((null? moments) '())
            ((>= (moment-count (car moments)) limit) (next-moment (cdr moments) high))
            (else
             (let ((low (moment-count (car moments))))
               (let next-window ((sizes windows))
                 (let* ((from (if (pair? sizes) (max low (- high (car sizes))) low))
                        (events (events-in (car moments) from high)))
                   (cond ((pair? events) events)
                         ((> from low) (next-window (cdr sizes)))
                         (else (next-moment (cdr moments) low)))))))))))

;; Runs from one count to another, and calls (visit) behind each instruction with which `observation` has as
;; many events as it wants, until that gives something else than #f; gives that. To be called within
;; call-and-come-back.
(define (observe-span from to observation visit)
  (let* ((timeline (the-timeline)) (end (min to (timeline-end timeline))))
    (move-to! timeline (max from (timeline-start timeline)))
    (let loop ()
      (let* ((anchor (next-anchor timeline (target-count)))
             (stop (observe-to! timeline (if anchor (min end (moment-count anchor)) end) observation))
             (answer (and (eq? (stop-reason stop) 'observed) (visit))))
        (if (and anchor (= (target-count) (moment-count anchor))) (restore-moment! timeline anchor))
        (cond (answer)
              ((< (target-count) end) (loop))
              (else #f))))))
