;; Commands that go back in time: reverse-step, reverse-next, both by lines, reverse-finish, reverse-continue, goto,
;; mark; and info timeline.

(module debugger/time-commands)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/timeline)
(use debugger/value)
(use debugger/run)
(use debugger/show)
(use debugger/looking-commands)

(define-command (reverse-step #!optional (count count 1))
  "Goes back by one instruction, or by COUNT of them. Registers and memory are as they were; output is not taken back."
  aliases: (rs) group: time
  (show-pause (reverse-step! count)))

(define-command (reverse-next #!optional (count count 1))
  "Goes back by one instruction, or COUNT, and over calls as a whole."
  aliases: (rn) group: time
  (show-pause (reverse-next! count)))

(define-command (reverse-step-line #!optional (count count 1))
  "Goes back to where the source line before this one began. Or the COUNT-th before; functions that were called on the \
way are entered from behind."
  aliases: (rsl) group: time
  (show-pause (reverse-step-line! count)))

(define-command (reverse-next-line #!optional (count count 1))
  "Goes back to where the source line before this one began, over calls as a whole. Or the COUNT-th before."
  aliases: (rnl) group: time
  (show-pause (reverse-next-line! count)))

(define-command (reverse-finish)
  "Goes back to the call that made the selected activation."
  aliases: (rfin) group: time
  (show-pause (reverse-finish!)))

(define-command (reverse-continue)
  "Goes back to where the program stopped last. That is at a breakpoint, or behind the instruction that touched \
a watched range; without one, the start of the timeline."
  aliases: (rc) group: time
  (show-pause (reverse-continue!)))

;; ---- going to a count --------------------------------------------------------------------------------

(define (marks) (timeline-marks (the-timeline)))

(define (word->count word)
  (let ((mark (and (session-timeline (the-session)) (assoc word (marks)))))
    (cond (mark (cdr mark))
          ((string=? word "start") (timeline-start (the-timeline)))
          ((string=? word "end") (timeline-end (the-timeline)))
          ((string->number (list->string (delete #\, (string->list word)))))
          (else (raise-user-error "`" word "` is no instruction count, start, end or mark"
                                  (did-you-mean word (append '("start" "end") (map car (marks)))))))))

(define-argument-kind moment "an instruction count, start, end or a mark" (lambda (word) word)
  (lambda (beginning)
    (filter (lambda (name) (string-prefix? beginning name))
            (append '("start" "end") (if (session-timeline (the-session)) (map car (marks)) '())))))

(define-command (goto (where moment))
  "Goes to a point of the program's past, or back to its present. WHERE is a count of instructions, start, end, \
or the name of a mark."
  group: time repeat: #f
  (the-timeline)
  (show-pause (goto-count! (word->count where))))

(define-command (mark (name name))
  "Gives the present point of the timeline a NAME. It is for goto."
  group: time repeat: #f
  (let ((timeline (the-timeline)))
    (if (or (string->number name) (member name '("start" "end")))
        (raise-user-error "a mark cannot be called " name ", which means a point already"))
    (timeline-marks-set! timeline
                         (cons (cons name (target-count))
                               (remove (lambda (mark) (string=? (car mark) name)) (timeline-marks timeline))))
    (say "mark " name " at " (address-text (target-pc)) ", " (grouped (target-count)) " instructions")))

;; ---- info timeline -----------------------------------------------------------------------------------

(define (show-timeline)
  (let* ((timeline (the-timeline))
         (recording (machine-recording (the-machine) every-thread))
         (fact (lambda (name) (cdr (assq name recording)))))
    (columns
     (append
      (let ((others (- (length (session-timelines (the-session))) 1)))
        (if (> others 0)
            (list (list "timeline" (text (timeline-name timeline) "; `timeline` lists it and "
                                        (if (= others 1) "the other" "the others"))))
            '()))
      (list (list "from" (text (grouped (timeline-start timeline)) " to " (grouped (timeline-end timeline)) " instructions"))
            (list "here" (text (grouped (target-count)) (if (timeline-past?) ", in the past" ", the present")))
            (list "snapshots" (text (length (timeline-moments timeline)) ", " (grouped (machine-snapshot-bytes (the-machine)))
                                    " bytes of at most " (grouped (timeline-byte-limit))))
            (list "host calls" (text (grouped (fact 'entries)) ", " (grouped (fact 'bytes)) " bytes of at most "
                                     (grouped (timeline-log-limit)))))
      (map (lambda (mark) (list "mark" (text (car mark) " at " (grouped (cdr mark))))) (reverse (timeline-marks timeline)))))))

(add-subject! "timeline" show-timeline)
