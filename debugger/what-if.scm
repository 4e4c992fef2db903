;; The timelines of a session: the original, and what-ifs, which forked where the program was changed in its past.
;;
;;   (goto-count! 100)
;;   (target-register-set! 'r5 7)           forks what-if-1, in which the session is now
;;   (continue-program!)
;;   (timeline-keep! "seven")
;;   (timeline-compare "seven" "original")  what differs
;;   (timeline-go! "original")              back where it was left, as if nothing had been changed
;;   (timeline-drop! "seven")

(module debugger/what-if)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/views)
(use debugger/timeline)
(use debugger/search)
(use debugger/run)

(define (session-what-ifs)
  (the-timeline)
  (session-timelines (the-session)))

(define (timeline-or-error name)
  (let ((timelines (session-what-ifs)))
    (or (timeline-named name)
        (let ((names (map timeline-name timelines)))
          (raise-user-error "there is no timeline `" name "`" (did-you-mean name names) "; there are: "
                            (string-join names ", "))))))

(define (fork-notice before now)
  (text "this is " (timeline-name now) " from here on; `timeline go " (timeline-name before) "` goes back to what was"))

(define-documented (timeline-keep! name)
  "Calls the timeline in which the program is by a name, and keeps it: in spite of `run` and of other what-ifs."
  (let ((timeline (the-timeline)) (other (timeline-named name)))
    (if (or (string->number name) (member name '("" "start" "end" "here")))
        (raise-user-error "a timeline cannot be called `" name "`, which means something else"))
    (if (and other (not (eq? other timeline)))
        (raise-user-error "there is a timeline `" name "` already; `timeline drop " name "` makes room"))
    (timeline-name-set! timeline name)
    (timeline-kept?-set! timeline #t)
    timeline))

(define-documented (timeline-go! name #!optional (count #f))
  "Goes to a timeline, where it was left unless an instruction COUNT is given. Gives the pause."
  (timeline-switch! (timeline-or-error name) count)
  (or (session-stop (the-session)) (conclude! 'step #f)))

(define-documented (timeline-drop! #!optional (name #f))
  "Forgets a timeline. Without a NAME, or with that of the one in which the program is, goes back first to the one
that it forked from. Gives the pause there, or else #f."
  (let* ((current (the-timeline))
         (timeline (if name (timeline-or-error name) current))
         (others (delete timeline (session-what-ifs) eq?))
         (origin (timeline-origin timeline)))
    (if (null? others) (raise-user-error "this is the only timeline; a change in the past of it makes another"))
    (let ((pause (and (eq? timeline current)
                      (timeline-go! (timeline-name (if (memq origin others) origin (car others)))))))
      (timeline-forget! timeline)
      pause)))

;; ---- comparing -------------------------------------------------------------------------------------

;; counts: where the one and the other stood. same?: whether their whole states are equal. Lists of (what here there):
;; registers, where `what` is "r5", "r5 of main", "pc" or "activations", and values are numbers, or lists of functions;
;; views, whose values are lines. Registers are compared in the activations that both have in common. memory:
;; (address here there), u8vectors, empty where nothing is mapped, parted where a symbol stands; more?: there are more.
(define-type comparison
  constructor: make-comparison
  counts same? registers views memory more?)

(define ranges-compared 200)
(define activations-compared 20)
(define bytes-compared 4096) ; of one range

(define-documented (timeline-compare here there #!optional (where #f))
  "How two timelines differ, given their names: a comparison, with comparison-registers and so on. WHERE: a count of
instructions, start, end, or the counts in the one and in the other as a pair; #f: the present count, if both come so
far, else their ends."
  (let* ((here (timeline-or-error here)) (there (timeline-or-error there)) (counts (counts-for where here there)))
    (call-and-come-back
     (lambda ()
       (timeline-switch! here (car counts))
       (let ((snapshot (machine-snapshot (the-machine)))
             (hash (machine-hash (the-machine)))
             (activations (target-activations activations-compared))
             (registers (register-values))
             (views (view-texts)))
         (timeline-switch! there (cdr counts))
         (let* ((ranges (machine-memory-differences (the-machine) snapshot (+ ranges-compared 1) (target-space)))
                (same? (string=? hash (machine-hash (the-machine))))
                (other-activations (target-activations activations-compared))
                (other-registers (register-values))
                (other-views (view-texts))
                (compared (append-map parts-by-symbol (take-at-most ranges ranges-compared)))
                (other-bytes (map range-bytes compared)))
           (machine-free-snapshot! snapshot)
           (timeline-switch! here (car counts))
           (let ((of-common (common-registers activations registers other-activations other-registers)))
             (make-comparison counts same?
                              (differences (of-common registers) (of-common other-registers))
                              (differences views other-views)
                              (remove (lambda (row) (equal? (cadr row) (caddr row)))
                                      (map (lambda (range other) (list (car range) (range-bytes range) other))
                                           compared other-bytes))
                              (> (length ranges) ranges-compared)))))))))

(define (counts-for where here there)
  (define (on? timeline count) (<= (timeline-start timeline) count (timeline-end timeline)))
  (cond ((pair? where) where)
        ((integer? where) (cons where where))
        ((eq? where 'start) (cons (timeline-start here) (timeline-start there)))
        ((or (eq? where 'end) (not (on? here (target-count))) (not (on? there (target-count))))
         (cons (timeline-end here) (timeline-end there)))
        (else (cons (target-count) (target-count)))))

;; A range as several, none of which goes on over a symbol.
(define (parts-by-symbol range)
  (let* ((start (car range)) (end (+ start (cdr range)))
         (within (delete-duplicates (filter (lambda (value) (< start value end)) (map cdr (all-symbols))))))
    (map (lambda (from to) (cons from (- to from))) (cons start within) (append within (list end)))))

(define (range-bytes range) (target-read-prefix (car range) (min (cdr range) bytes-compared)))

;; Registers as ((name . value) …): pc, activations, t0 …, and (level . number) for those of activations.
(define (register-values)
  (append
   (list (cons "pc" (target-pc))
         (cons "activations" (map function-of (target-activations activations-compared))))
   (append-map
    (lambda (level)
      (map (lambda (entry) (cons (cons level (car entry)) (cdr entry)))
           (machine-registers (the-machine) level (session-thread (the-session)))))
    (iota (min activations-compared (target-depth))))
   (map (lambda (n) (let ((name (text "t" n))) (cons name (target-register name)))) (iota 16))))

;; A procedure that leaves of registers what can be compared, by names: of activations those that are the same on both
;; sides, counted from the outermost; of their windows what the next activation does not have as well.
(define (common-registers here here-registers there there-registers)
  (let* ((same (map-pairs same-activation? (reverse here) (reverse there)))
         (common (length (take-while (lambda (same?) same?) same)))
         (names (map function-of (take-at-most (reverse here) common)))
         (equal-depth? (= (length here) (length there) common)))
    (define (depth-of activations level) (- (length activations) level 1))
    (define (room activations depth)
      (let ((outermost-first (reverse activations)))
        (if (< (+ depth 1) (length outermost-first))
            (- (vector-ref (list-ref outermost-first (+ depth 1)) 2) (vector-ref (list-ref outermost-first depth) 2))
            (expt 2 64))))
    (define (name number depth)
      (cond ((and equal-depth? (= depth (- common 1))) (text "r" number))
            ((= 1 (length (filter (lambda (function) (= function (list-ref names depth))) names)))
             (text "r" number " of " (address-text (list-ref names depth))))
            (else (text "r" number " of " (address-text (list-ref names depth)) ", depth " (+ depth 1)))))
    (lambda (registers)
      (let ((activations (if (eq? registers here-registers) here there)))
        (filter-map
         (lambda (entry)
           (if (string? (car entry))
               entry
               (let ((depth (depth-of activations (caar entry))) (number (cdar entry)))
                 (and (< depth common)
                      (< number (min (room here depth) (room there depth)))
                      (cons (name number depth) (cdr entry))))))
         registers)))))

(define (function-of activation) (vector-ref activation 0))

(define (same-activation? here there)
  (and (= (function-of here) (function-of there)) (= (vector-ref here 2) (vector-ref there 2))))

;; As map, up to the end of the shorter list.
(define (map-pairs procedure here there)
  (let ((length (min (length here) (length there))))
    (map procedure (take-at-most here length) (take-at-most there length))))

;; Of the program's symbols that have a view, what they show.
(define (view-texts)
  (append-map
   (lambda (name)
     (let ((address (symbol-value name)))
       (if address
           (list (cons name
                       (with-exception-catcher
                        (lambda (exception) (list (text name " = <" (exception->text exception) ">")))
                        (lambda () (view-lines name (memory-view-place (view-named name) address))))))
           '())))
   (view-definitions)))

;; What is missing in a list of registers is 0.
(define (differences here there)
  (define (value-in list what) (let ((entry (assoc what list))) (if entry (cdr entry) 0)))
  (filter (lambda (row) (not (equal? (cadr row) (caddr row))))
          (map (lambda (what) (list what (value-in here what) (value-in there what)))
               (delete-duplicates (append (map car here) (map car there))))))
