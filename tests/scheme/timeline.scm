(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/run)

(define (hash) (machine-hash (the-machine)))

;; Does `body` in a session of its own with the program loaded, and few instructions between snapshots, so
;; that a small program gets many; gives what it wrote.
(define (output-of-session path input body #!key (spacing 50) (moments 8) (bytes (expt 2 28)) (log (expt 2 26)))
  (call-with-output-string
   (lambda (output)
     (parameterize ((current-session (new-session))
                    (least-spacing spacing) (timeline-moment-limit moments)
                    (timeline-byte-limit bytes) (timeline-log-limit log))
       (session-streams-set! (the-session) (list (open-input-string input) output output))
       (load-program! path)
       (body)))))

;; Every so many counts of a run, with their hashes: ((count . hash) …), the last first.
(define (recorded-states step)
  (let loop ((states (list (cons (target-count) (hash)))))
    (let ((pause (step-program! step)))
      (let ((states (if (= (target-count) (caar states)) states (cons (cons (target-count) (hash)) states))))
        (if (eq? (pause-reason pause) 'step) (loop states) states)))))

(define (wrong-states states)
  (filter (lambda (state) (goto-count! (car state)) (not (equal? (hash) (cdr state)))) states))

;; A permutation that jumps about.
(define (shuffled items)
  (map cdr (sort (map (lambda (item i) (cons (modulo (* 7919 (+ i 1)) 1009) item)) items (iota (length items)))
                 (lambda (a b) (< (car a) (car b))))))

(define-macro (test-states name path input step . options)
  `(test-group ,name
     (let* ((wrong #f) (shown #f)
            (output (output-of-session ,path ,input
                      (lambda ()
                        (let ((states (recorded-states ,step)))
                          (set! wrong (append (wrong-states states) (wrong-states (shuffled states))))
                          (goto-start!)
                          (continue-program!)
                          (set! shown (and (equal? (hash) (cdar states)) (not (timeline-past?))))))
                      ,@options))
            (plain (output-of-session ,path ,input (lambda () (continue-program!)))))
       (test "every sampled count has the state that it had" '() wrong)
       (test "running on from the start comes to the same end, the present" #t shown)
       (test "output is made once" plain output))))

(test-states "factorial, every count" "tests/repl/programs/factorial.s" "" 1 spacing: 5)
(test-states "the words of a text" "examples/wc.s" "a few words\nfor the counting\n" 7)
(test-states "primes" "examples/sieve.s" "" 401 spacing: 1000 moments: 10)
(test-states "in little memory" "examples/sieve.s" "" 997 spacing: 100 bytes: 300000)

(test-group "thinning"
  (output-of-session "tests/repl/programs/endless.s" ""
    (lambda ()
      (continue-program! 20000)
      (let* ((moments (timeline-moments (the-timeline))) (counts (map moment-count moments)))
        (test "the number of snapshots is bounded" 8 (length moments))
        (test "the start is kept" 0 (timeline-start (the-timeline)))
        (test "the newest lies near the end" #t (< (- 20000 (car counts)) 200))
        (test "gaps grow with the distance from the end" #t
              (< (* 4 (- (car counts) (cadr counts))) (cadr (reverse counts))))))))

;; All counts at which going forward stops, the last first; the end of the run is not one.
(define (forward-stops)
  (let loop ((stops '()))
    (let ((pause (continue-program!)))
      (if (memq (pause-reason pause) '(breakpoint watchpoint event))
          (loop (cons (cons (pause-count pause) (pause-reason pause)) stops))
          stops))))

(define (backward-stops)
  (let loop ((stops '()))
    (let ((pause (reverse-continue!)))
      (if (eq? (pause-reason pause) 'start)
          (reverse stops)
          (loop (cons (cons (pause-count pause) (pause-reason pause)) stops))))))

(define-macro (test-stops name path input prepare)
  `(let ((forward #f) (backward #f))
     (output-of-session ,path ,input
       (lambda () ,prepare (set! forward (forward-stops)) (set! backward (backward-stops)))
       spacing: 30)
     (test ,(string-append name ": there are some") #t (> (length forward) 2))
     (test ,(string-append name ": going back stops where going forward did") forward backward)))

(test-group "reverse-continue"
  (test-stops "a function" "tests/repl/programs/factorial.s" ""
              (breakpoint-add! (symbol-value "factorial") "factorial"))
  (test-stops "a loop" "examples/wc.s" "some words to count"
              (breakpoint-add! (symbol-value "next_byte") "next_byte"))
  (test-stops "written memory" "tests/repl/programs/broken-list.s" ""
              (watchpoint-add! (symbol-value "label") 16 'write "label"))
  (test-stops "changed memory" "tests/repl/programs/broken-list.s" ""
              (add-breakpoint! 'watch "second" (lambda () (symbol-value "second")) length: 16 access: 'change))
  (test-stops "a condition of a breakpoint" "tests/repl/programs/broken-list.s" ""
              (add-breakpoint! 'break "copy" (lambda () (symbol-value "copy")) condition: "(even? r3)"))
  (test-stops "a register" "examples/wc.s" "some words to count" (add-breakpoint! 'register "r2" (lambda () 2) access: 'change))
  (test-stops "a condition on a register" "examples/wc.s" "some words to count"
              (add-breakpoint! 'condition "(odd? r2)" (lambda () #f) condition: "(odd? r2)"))
  (test-stops "any condition" "tests/repl/programs/broken-list.s" ""
              (let ((condition "(= 3 (modulo (debugger/target#target-count) 10))"))
                (add-breakpoint! 'condition condition (lambda () #f) condition: condition)))
  (test-stops "calls and returns" "tests/repl/programs/factorial.s" ""
              (begin (add-breakpoint! 'call "call" (lambda () #f)) (add-breakpoint! 'return "return" (lambda () #f))))
  (test-stops "host calls" "examples/wc.s" "some words" (add-breakpoint! 'host-call "host-call" (lambda () #f)))
  (test-stops "both" "tests/repl/programs/broken-list.s" ""
              (begin (breakpoint-add! (symbol-value "copy") "copy")
                     (watchpoint-add! (symbol-value "first") 48 'both "first"))))

(test-group "calls, backwards"
  (output-of-session "tests/repl/programs/factorial.s" ""
    (lambda ()
      (step-program! 2)
      (let ((inside (hash)))
        (finish-activation!)
        (let ((behind (hash)) (count (target-count)))
          (reverse-next!)
          (test "reverse-next goes over a call as a whole" 1 (target-count))
          (next-program!)
          (test "and next comes back" behind (hash))
          (test "at the same count" count (target-count)))
        (breakpoint-add! (symbol-value "base") "base")
        (goto-start!)
        (continue-program!)
        (reverse-finish!)
        (test "reverse-finish stands before the call" 'call (instruction-name (target-instruction (target-pc))))
        (step-program!)
        (test "which calls the function" (symbol-value "factorial") (target-pc))
        (goto-count! 2)
        (test "and all is as it was" inside (hash)))))
  (output-of-session "tests/repl/programs/factorial.s" ""
    (lambda ()
      (test "the outermost activation was called by nobody" #t
            (with-exception-catcher (lambda (exception) #t) (lambda () (reverse-finish!) #f)))
      (test "a count beyond the end is refused" #t
            (with-exception-catcher (lambda (exception) #t) (lambda () (goto-count! 1) #f))))))

(test-group "changes"
  (output-of-session "tests/repl/programs/factorial.s" ""
    (lambda ()
      (step-program! 3)
      (target-register-set! 'r1 9)
      (step-program! 3)
      (let ((here (hash)))
        (goto-count! 2)
        (continue-program! 4)
        (test "a change of the present is there when it is passed again" here (hash))
        (goto-count! 6)
        (test "and when it is jumped over" here (hash)))
      (goto-count! 2)
      (test "below the end is the past" #t (timeline-past?))
      (target-register-set! 'r1 1)
      (test "a change there is another future" #f (timeline-past?))
      (test "and the old one is gone" 2 (timeline-end (the-timeline)))
      (test "in which the program runs on" 'halted (pause-reason (continue-program!)))
      (let ((snapshot (machine-snapshot (the-machine))))
        (goto-count! 1)
        (step-program!)
        (machine-restore! (the-machine) (session-fresh (the-session)))
        (test "a snapshot that was restored begins anew" 0 (timeline-end (the-timeline)))))))

(test-group "a short log"
  (output-of-session "examples/wc.s" "one\n"
    (lambda ()
      (continue-program!)
      (let ((start (timeline-start (the-timeline))))
        (test "the timeline begins where the log does" #t (> start 0))
        (test "and goes back so far" start (begin (goto-start!) (target-count)))
        (test "and forth" 'halted (pause-reason (continue-program!)))))
    spacing: 5 log: 200))
