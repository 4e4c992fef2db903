;; Where the instructions of the program went. Nothing has to be prepared: the past is run again and looked at.
;;
;;   (profile)                    of the whole timeline; see scheme-lib/profile for what can be asked of it
;;   (profile 1000 5000)          of the instructions between two counts
;;   (profile-symbols (profile) (the-machine))
;;
;; Up to some millions each instruction is counted; of more, one of N is looked at, in bursts.

(module debugger/profiles)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/profile)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/timeline)
(use debugger/search)

;; Instructions that are looked at: about a second's.
(define most-observed (expt 2 23))

(define (weight-for instructions)
  (if (<= instructions most-observed) 1 (quotient instructions (quotient most-observed 8))))

(define-documented (profile #!optional (from #f) (to #f) (every #f))
  "Where the instructions from the count FROM to TO (the whole timeline) went, as a profile: profile-symbols,
profile-lines, profile-places, profile-opcodes, profile-pairs, profile-stacks, profile-accesses. EVERY 1 counts each
instruction, N looks at one of N; #f chooses."
  (let* ((timeline (the-timeline))
         (from (max (or from 0) (timeline-start timeline))) (to (min (or to (timeline-end timeline)) (timeline-end timeline)))
         (profile (make-profile)))
    (if (= 0 (- (timeline-end timeline) (timeline-start timeline)))
        (raise-user-error "the program has executed nothing yet; run it first"))
    (if (>= from to) (raise-user-error "from " from " to " to " there are no instructions on the timeline to profile"))
    (fill-profile! profile timeline from to (or every (weight-for (- to from))))
    profile))

(define (never) #f)

(define (fill-profile! profile timeline from to weight)
  (let ((observation (profile-observation profile weight)))
    (call-and-come-back
     (lambda ()
       (if (= weight 1)
           (observe-span from to observation never)
           (let loop ((at (+ from (* burst (- weight 1)))))
             (if (<= at to)
                 (begin
                   (if (> at (target-count)) (run-exactly-to! timeline at))
                   (observe-span at (+ at burst) observation never)
                   (loop (+ at (* burst weight)))))))))))
