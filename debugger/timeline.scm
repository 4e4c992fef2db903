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
;; kept as an *anchor*, a moment that is not thinned and over which nothing is re-run. In the past such a change
;; *forks* another timeline, a what-if, which has all moments up to there in common with the one that it came from;
;; that one stays as it was, and can be gone back to. What is not the session's timeline, or is in its past, keeps
;; the log of its host calls in the machine, under a number.

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
  anchor?
  written) ; memory that was written since the moment before: see machine-memory-written; #f: perhaps all

(define-type timeline
  constructor: construct-timeline
  name
  origin  ; the timeline that it forked from; #f: none
  fork    ; the count at which it did
  kept?   ; whether somebody wants it to stay
  log     ; the number of the log that is kept, or #f
  moments ; the newest first
  spacing ; instructions between moments
  bytes   ; that snapshots held when one was taken last
  seconds ; of processor time that running took in it
  speed   ; instructions a second, lately; 0: not known yet
  end     ; the count of the present
  pause   ; the session's at the present, while the machine is in the past
  at      ; the machine's count when it was seen last in this timeline
  changes ; the machine's count of changes from outside, then
  marks)  ; ((name . count) …)

;; Bounds, to be set before a program is loaded, for all timelines of a session together: bytes that moments may hold
;; (what one stretch between moments writes comes on top), bytes of the logs of host calls, number of moments; and
;; of what-ifs that nobody keeps.
(define timeline-byte-limit (make-parameter (expt 2 28)))
(define timeline-log-limit (make-parameter (expt 2 26)))
(define timeline-moment-limit (make-parameter 100))
(define what-if-limit (make-parameter 8))
;; Whether new timelines are kept at all.
(define timeline-wanted (make-parameter #t))

;; A moment causes work: its own making, and the copying of each page that is written to after it. The time that a
;; stretch runs is a multiple of that of the moment before it, so that the share stays the same whatever a program
;; does; and memory that was not used for copies before, which the host has to find page by page, is taken as slowly.
;; What copying takes differs from host to host; how fast a program runs is measured.
(define least-spacing (make-parameter (expt 2 20)))
(define greatest-spacing (expt 2 32))
(define seconds-a-moment 3e-4)
(define seconds-a-kept-byte 3e-10)
(define work-share 40)
(define bytes-at-once (expt 2 22))
(define bytes-a-second (expt 2 24))

(define (changes) (cdr (assq 'changes (machine-recording (the-machine) every-thread))))
(define (log-begin) (cdr (assq 'begin (machine-recording (the-machine) every-thread))))

;; ---- beginning -------------------------------------------------------------------------------------

(define (make-timeline name origin moments count changes)
  (construct-timeline name origin count #f #f moments (least-spacing) 0 0. 0. count #f
                      count changes '()))

(define (all-timelines) (session-timelines (the-session)))

;; What is now is the start of a timeline; others go, unless they are kept. `begin-log!` begins the machine's log of
;; host calls.
(define (timeline-begin! #!optional (begin-log! (lambda () (machine-record! (the-machine) (timeline-log-limit)))))
  (let ((session (the-session)))
    (for-each timeline-forget!
              (remove (lambda (timeline) (and (timeline-kept? timeline) (timeline-log timeline))) (all-timelines)))
    (if (timeline-wanted)
        (begin
          (begin-log!)
          (let* ((name (if (timeline-named "original") (free-name "original-" 2) "original"))
                 (timeline (make-timeline name #f '() (target-count) 0)))
            (session-timelines-set! session (append (all-timelines) (list timeline)))
            (session-timeline-set! session timeline)
            (take-moment! timeline #f)))
        (begin
          (machine-record! (the-machine) #f)
          (session-timeline-set! session #f)))))

;; Before the machine goes where no timeline leads, so that the one it is in can be gone back to if it is kept.
(define (timeline-set-aside!)
  (let ((timeline (session-timeline (the-session))))
    (if (and timeline (timeline-kept? timeline)) (leave-present! (the-timeline)))))

;; Another machine has none of the timelines that there were.
(define (timelines-forget!)
  (session-timeline-set! (the-session) #f)
  (session-timelines-set! (the-session) '()))

(define (the-timeline)
  (the-machine)
  (if (not (session-timeline (the-session))) (raise-user-error "no timeline is kept of this program; `run` begins one"))
  (let ((timeline (notice-changes!)))
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
  (let ((count (target-count)))
    (receive (newer older) (split-at-count (timeline-moments timeline) count)
      (let* ((written (cond ((pair? newer) (moment-written (car (reverse newer))))
                            ((pair? older) (written-since (car older)))
                            (else #f)))
             (moment (make-moment count (machine-snapshot (the-machine)) anchor? written)))
        (timeline-moments-set! timeline (append newer (cons moment older)))
        (if anchor? (drop-replaced! timeline older count))))
    (set-spacing! timeline (machine-snapshot-bytes (the-machine)))
    (thin! timeline)
    (timeline-bytes-set! timeline (machine-snapshot-bytes (the-machine)))))

(define (set-spacing! timeline bytes)
  (let* ((work (+ seconds-a-moment (* seconds-a-kept-byte (max 0 (- bytes (timeline-bytes timeline))))))
         (instructions (inexact->exact (round (* work work-share (timeline-speed timeline))))))
    (timeline-spacing-set! timeline (min greatest-spacing (max (least-spacing) instructions)))))

;; Ranges of memory, as a list that stays short.
(define most-ranges 256)

(define (written-since moment)
  (let ((ranges (machine-memory-written (the-machine) (moment-snapshot moment) (+ most-ranges 1) (target-space))))
    (and (<= (length ranges) most-ranges) ranges)))

(define (joined ranges others)
  (let ((all (and ranges others (fold join '() (sort (append ranges others) (lambda (a b) (< (car a) (car b))))))))
    (and all (<= (length all) most-ranges) (reverse all))))

(define (join range joined)
  (let ((end (if (pair? joined) (+ (caar joined) (cdar joined)) -1)))
    (if (<= (car range) end)
        (cons (cons (caar joined) (- (max end (+ (car range) (cdr range))) (caar joined))) (cdr joined))
        (cons range joined))))

;; Of two states at one count only the one behind the change can be gone to.
(define (drop-replaced! timeline older count)
  (if (and (pair? older) (= (moment-count (car older)) count))
      (begin (drop-moment! timeline (car older)) (drop-replaced! timeline (cdr older) count))))

(define (split-at-count moments count)
  (let loop ((moments moments) (newer '()))
    (if (and (pair? moments) (> (moment-count (car moments)) count))
        (loop (cdr moments) (cons (car moments) newer))
        (values (reverse newer) moments))))

(define (drop-moment! timeline moment)
  (let ((before (memq moment (reverse (timeline-moments timeline)))))
    (if (pair? (cdr before))
        (moment-written-set! (cadr before) (joined (moment-written (cadr before)) (moment-written moment)))))
  (timeline-moments-set! timeline (delete moment (timeline-moments timeline) eq?))
  (if (not (find (lambda (timeline) (memq moment (timeline-moments timeline))) (all-timelines)))
      (machine-free-snapshot! (moment-snapshot moment))))

;; How much each moment of all timelines would be missed: little where the gap that it leaves is small for how far it
;; lies from the end, and from some way on, small at all. #f: the first and last of a timeline and anchors, which stay.
(define (moment-costs)
  (let ((costs (make-table test: eq?)))
    (define (note! moment cost)
      (let ((known (table-ref costs moment cost))) (table-set! costs moment (and known cost (max known cost)))))
    (for-each
     (lambda (timeline)
       (let loop ((newer #f) (moments (timeline-moments timeline)))
         (if (pair? moments)
             (let ((moment (car moments)) (older (cdr moments)))
               (note! moment
                      (and newer (pair? older) (not (moment-anchor? moment))
                           (/ (exact->inexact (- (moment-count newer) (moment-count (car older))))
                              (+ (least-spacing)
                                 (min (- (timeline-end timeline) (moment-count moment)) (quotient (timeline-end timeline) 32))))))
               (loop moment older)))))
     (all-timelines))
    costs))

(define (too-much? costs)
  (or (> (table-length costs) (timeline-moment-limit))
      (> (machine-snapshot-bytes (the-machine)) (timeline-byte-limit))))

;; More than the time that programs ran is worth.
(define (too-soon?)
  (> (machine-snapshot-bytes (the-machine))
     (+ bytes-at-once (* bytes-a-second (fold + 0 (map timeline-seconds (all-timelines)))))))

(define (least-missed costs)
  (car (fold (lambda (entry best) (if (and (cdr entry) (or (not (cdr best)) (< (cdr entry) (cdr best)))) entry best))
             '(#f . #f)
             (table->list costs))))

(define (drop-everywhere! moment)
  (for-each (lambda (timeline) (if (memq moment (timeline-moments timeline)) (drop-moment! timeline moment)))
            (all-timelines)))

;; Keeps within bounds: the session's timeline, and the others with it. What has to go beyond moments that are missed
;; little: what-ifs that nobody keeps, the beginning of the session's timeline, the other timelines.
(define (thin! timeline)
  (define (oldest) (car (reverse (timeline-moments timeline))))
  (let ((longer? (pair? (cdr (timeline-moments timeline)))))
    (if (and longer? (< (timeline-start timeline) (log-begin)))
        (begin (drop-moment! timeline (oldest)) (thin! timeline))
        (let ((costs (moment-costs)))
          (if (let ((too-much? (too-much? costs)))
                (cond ((and (or too-much? (too-soon?)) (least-missed costs))
                       => (lambda (moment) (drop-everywhere! moment) #t))
                      ((not too-much?) #f)
                      ((pair? (passing-what-ifs)) (timeline-forget! (car (passing-what-ifs))) #t)
                      (longer? (drop-moment! timeline (oldest)) #t)
                      ((remove (lambda (other) (eq? other timeline)) (all-timelines))
                       => (lambda (others) (and (pair? others) (begin (timeline-forget! (car others)) #t))))
                      (else #f)))
              (thin! timeline))))))

;; ---- other timelines -------------------------------------------------------------------------------

;; The what-ifs that nobody keeps and that the session is not in, the oldest first.
(define (passing-what-ifs)
  (filter (lambda (timeline)
            (and (timeline-origin timeline)
                 (not (timeline-kept? timeline))
                 (not (eq? timeline (session-timeline (the-session))))))
          (all-timelines)))

(define (timeline-forget! timeline)
  (drop-log! timeline)
  (session-timelines-set! (the-session) (delete timeline (all-timelines) eq?))
  (for-each (lambda (moment) (drop-moment! timeline moment)) (timeline-moments timeline)))

(define (drop-log! timeline)
  (if (timeline-log timeline) (machine-drop-log! (the-machine) (timeline-log timeline)))
  (timeline-log-set! timeline #f))

(define (timeline-named name)
  (find (lambda (timeline) (string=? (timeline-name timeline) name)) (all-timelines)))

(define (free-name beginning n)
  (let ((name (text beginning n))) (if (timeline-named name) (free-name beginning (+ n 1)) name)))

;; The machine was changed in the past of a timeline, which stays as it was.
(define (fork! origin)
  (let* ((session (the-session)) (count (target-count))
         (common (filter (lambda (moment) (<= (moment-count moment) count)) (timeline-moments origin)))
         (timeline (make-timeline (free-name "what-if-" 1) origin common count (changes))))
    (timeline-at-set! origin count)
    (timeline-marks-set! timeline (filter (lambda (mark) (<= (cdr mark) count)) (timeline-marks origin)))
    (session-timelines-set! session (append (all-timelines) (list timeline)))
    (session-timeline-set! session timeline)
    (if (> (length (passing-what-ifs)) (what-if-limit)) (timeline-forget! (car (passing-what-ifs))))
    (take-moment! timeline #t)
    timeline))

;; Goes to another timeline of the session, to a count of it; #f: to where it was left.
(define (timeline-switch! to #!optional (count #f))
  (let ((from (the-timeline)) (session (the-session)) (count (or count (timeline-at to))))
    (check-on-timeline! to count)
    (if (eq? from to)
        (timeline-goto! count)
        (begin
          (leave-present! from)
          (session-timeline-set! session to)
          (restore-moment! to (newest-until to count))
          (machine-resume-log! (the-machine) (timeline-log to))
          (timeline-changes-set! to (changes))
          (thin! to)
          (come-to! to (max count (timeline-start to)))))))

;; ---- changes from outside --------------------------------------------------------------------------

;; What happened to the machine other than through this module. Gives the timeline that it is in now.
(define (notice-changes!)
  (let* ((timeline (session-timeline (the-session))) (count (target-count)) (now (changes))
         (past? (and (timeline-log timeline) (< count (timeline-end timeline)))))
    (cond ((or (< count (timeline-at timeline)) (not (newest-until timeline count))) (begin-elsewhere!))
          ((= now (timeline-changes timeline))
           (note-position! timeline)
           timeline)
          (past? (fork! timeline))
          (else
           (timeline-changes-set! timeline now)
           (note-position! timeline)
           (take-moment! timeline #t)
           timeline))))

;; Somebody has restored a snapshot: whether of this past, nobody can tell.
(define (begin-elsewhere!)
  (timeline-begin!)
  (session-timeline (the-session)))

(define (note-position! timeline)
  (let ((count (target-count)))
    (timeline-at-set! timeline count)
    (if (>= count (timeline-end timeline))
        (begin
          (timeline-end-set! timeline count)
          (timeline-pause-set! timeline #f)
          (drop-log! timeline)))))

;; ---- running ---------------------------------------------------------------------------------------

;; The anchor that comes next behind a count, or #f.
(define (next-anchor timeline count)
  (let loop ((moments (timeline-moments timeline)) (found #f))
    (cond ((or (null? moments) (<= (moment-count (car moments)) count)) found)
          ((moment-anchor? (car moments)) (loop (cdr moments) (car moments)))
          (else (loop (cdr moments) found)))))

(define (restore-moment! timeline moment)
  (target-restore! (moment-snapshot moment))
  (timeline-at-set! timeline (moment-count moment)))

;; As machine-run!, for all threads.
(define (timeline-run! fuel)
  (if (session-timeline (the-session))
      (let ((timeline (notice-changes!))) (call-interruptibly (lambda () (run-stretches! timeline fuel))))
      (run-armed! fuel)))

;; Off while the list of moments is being gone through.
(define keeping-moments (make-parameter #t))

;; Where the moment that should have been taken is missing, because it was thinned at once, none is due before long.
(define (next-due timeline count)
  (let ((due (+ (moment-count (newest-until timeline count)) (timeline-spacing timeline))))
    (if (> due count) due (+ count (timeline-spacing timeline)))))

;; A few instructions tell nothing.
(define (note-speed! timeline instructions seconds)
  (timeline-seconds-set! timeline (+ seconds (timeline-seconds timeline)))
  (if (and (> instructions 65536) (> seconds 0))
      (timeline-speed-set! timeline (/ instructions seconds))))

(define (run-stretches! timeline fuel)
  (let* ((count (target-count))
         (due (if (keeping-moments) (next-due timeline count) (+ count greatest-spacing)))
         (anchor (next-anchor timeline count))
         (goal (if anchor (min due (moment-count anchor)) due))
         (stretch (if fuel (min fuel (- goal count)) (- goal count)))
         (begun (cpu-time))
         (stop (run-armed! stretch))
         (now (target-count))
         (left (and fuel (- fuel (- now count)))))
    (note-speed! timeline (- now count) (- (cpu-time) begun))
    (cond ((and anchor (= now (moment-count anchor))) (restore-moment! timeline anchor))
          ((and (= now due) (keeping-moments)) (take-moment! timeline #f)))
    (note-position! timeline)
    (cond ((or (not (eq? (stop-reason stop) 'out-of-fuel)) (eqv? left 0)) stop)
          ((machine-pause-for-breakpoint (the-machine) stop))
          (else (run-stretches! timeline left)))))

;; ---- going back and forth --------------------------------------------------------------------------

(define (timeline-past?)
  (and (session-timeline (the-session)) (< (target-count) (timeline-end (notice-changes!)))))

;; Before the machine leaves the present, that is kept.
(define (leave-present! timeline)
  (if (and (= (target-count) (timeline-end timeline)) (not (timeline-pause timeline)))
      (begin
        (if (< (moment-count (car (timeline-moments timeline))) (target-count)) (take-moment! timeline #f))
        (if (not (timeline-log timeline)) (timeline-log-set! timeline (machine-keep-log! (the-machine))))
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
  (let ((lead (quotient (least-spacing) 16)))
    (if (> (- count (target-count)) (* 4 lead))
        (begin
          (run-exactly-to! timeline (- count lead))
          (if (< (moment-count (newest-until timeline (target-count))) (target-count))
              (take-moment! timeline #f))))))

(define (check-on-timeline! timeline count)
  (let ((start (timeline-start timeline)) (end (timeline-end timeline)))
    (if (not (<= start count end))
        (raise-user-error "the timeline goes from " start " to " end " instructions; " count " is not on it"))))

;; The state at an instruction count of this timeline.
(define (timeline-goto! count)
  (let ((timeline (the-timeline)))
    (check-on-timeline! timeline count)
    (leave-present! timeline)
    (come-to! timeline count)))

(define (come-to! timeline count)
  (let ((pause (and (= count (timeline-end timeline)) (timeline-pause timeline))))
    (call-interruptibly (lambda () (move-to! timeline count)))
    (session-level-set! (the-session) 0)
    (session-examined-set! (the-session) #f)
    (session-listed-set! (the-session) #f)
    (breakpoints-refresh!)
    (session-stop-set! (the-session) (and pause (car pause)))
    (note-position! timeline)
    count))
