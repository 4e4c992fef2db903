;; Going back and forth, on every example and on programs by chance: each state that was comes back, a replay does the
;; same, going back stops where going forward did, and what a change in the past leads to leaves the original alone.
;;
;;   SEED=1 FIRST=0 COUNT=1000 comet-vm test tests/travel/travel.scm
;;
;; A program by chance depends on the seed and its number alone; one that fails is kept.
(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/run)
(use debugger/what-if)

(define seed (string->number (getenv "SEED" "1")))
(define first (string->number (getenv "FIRST" "0")))
(define count (string->number (getenv "COUNT" "100")))

(load (path-expand "random-program.scm" (path-directory (path-expand (this-source-file)))))

(define source (make-random-source))
(define random (random-source-make-integers source))
(define (seed! number) (random-source-pseudo-randomize! source seed number))
(define (element list) (list-ref list (random (length list))))
(define (up-to list n) (if (<= (length list) n) list (map (lambda (i) (element list)) (iota n))))

(define (hash) (machine-hash (the-machine)))

;; Does `body` in a session with the program loaded and snapshots every so many instructions; gives what was written.
(define (in-session path arguments input spacing body)
  (call-with-output-string
   (lambda (output)
     (parameterize ((current-session (new-session)) (least-spacing spacing) (timeline-moment-limit 12))
       (session-streams-set! (the-session) (list (open-input-string input) output output))
       (load-program! path (lambda () (make-machine grants: '(clock random))))
       (machine-arguments-set! (the-machine) (cons path arguments))
       (body)))))

;; ---- a trip -----------------------------------------------------------------------------------------

;; Runs, by steps of so many instructions, and gives the states on the way, ((count . hash) …), the last first.
(define (states-forward step limit)
  (let loop ((states (list (cons (target-count) (hash)))))
    (let ((pause (step-program! (min step (max 1 (- limit (target-count)))))))
      (let ((states (if (= (target-count) (caar states)) states (cons (cons (target-count) (hash)) states))))
        (if (and (eq? (pause-reason pause) 'step) (< (target-count) limit)) (loop states) states)))))

;; Where states are not what they were: (what count) each.
(define (wrong what states)
  (filter-map (lambda (state)
                (goto-count! (car state))
                (if (string=? (hash) (cdr state)) #f (list what (car state))))
              states))

;; Forward k and back k, from states that are known.
(define (wrong-steps states)
  (filter-map (lambda (state)
                (let ((k (min (+ 1 (random 60)) (- (timeline-end (the-timeline)) (car state))))) ; behind it is live
                  (goto-count! (car state))
                  (step-program! k)
                  (if (> (target-count) (car state)) (reverse-step! (- (target-count) (car state))))
                  (if (string=? (hash) (cdr state)) #f (list 'forward-and-back (car state) k))))
              (filter (lambda (state) (< (car state) (timeline-end (the-timeline)))) states)))

;; From the start once more; states at the same counts.
(define (wrong-replay states step)
  (goto-start!)
  (let ((again (states-forward step (caar states))))
    (if (equal? again states) '() (list (list 'replay (length states) (length again))))))

;; ---- breakpoints ------------------------------------------------------------------------------------

(define (stopped-there? pause) (memq (pause-reason pause) '(breakpoint watchpoint)))

;; Counts at which going forward stops, up to some, the last first.
(define (stops-forward most)
  (let loop ((stops '()))
    (let ((pause (continue-program! (max 1 (- (timeline-end (the-timeline)) (target-count)))))) ; may be endless
      (if (and (stopped-there? pause) (timeline-past?) (< (length stops) most))
          (loop (cons (pause-count pause) stops))
          stops))))

(define (wrong-stops addresses writable states)
  (let ((end (caar states)))
    (for-each (lambda (address) (breakpoint-add! address (number->string address))) addresses)
    (if writable (watchpoint-add! writable 8 'write "watched"))
    (goto-start!)
    (let* ((here? (breakpoint-at (target-pc))) ; where the program begins, going forward does not stop
           (forward (stops-forward 60)))
      (let ((result
             (append-map
              (lambda (state)
                (let* ((from (car state)) (last (find (lambda (count) (< count from)) forward)))
                  (if (and (pair? forward) (<= from (car forward)))
                      (begin
                        (goto-count! from)
                        (let* ((pause (reverse-continue!)) (found (and (stopped-there? pause) (pause-count pause))))
                          (if (or (eqv? found last) (and (not last) (or (not found) (and here? (= found 0)))))
                              '()
                              (list (list 'reverse-continue from found last)))))
                      '())))
              (cons (cons (if (pair? forward) (car forward) 0) #f) (up-to states 6)))))
        (for-each breakpoint-remove! (session-breakpoints (the-session)))
        result))))

;; ---- what-ifs ---------------------------------------------------------------------------------------

(define (change!)
  (if (= 0 (random 2))
      (target-register-set! (text "r" (+ 1 (random 9))) (random 1000))
      (let ((address (symbol-value "data")))
        (if address
            (target-write! (+ address (random 100000)) (u8vector (random 256)))
            (target-register-set! 'r1 (random 1000))))))

;; What-ifs from one another; then all of them are what they were, and compare as they should.
(define (wrong-what-ifs states limit)
  (define (fork name)
    (change!)
    (let ((states (states-forward (+ 1 (random (max 1 (quotient limit 30)))) (+ (target-count) limit))))
      (timeline-keep! name)
      (cons name states)))
  (define (fork-from name states n)
    (timeline-go! name (car (element (if (pair? (cdr states)) (cdr states) states))))
    (if (timeline-past?) (fork n) #f))
  (let* ((one (fork-from "original" states "one"))
         (two (and one (fork-from "one" (cdr one) "two")))
         (three (fork-from "original" states "three")))
    (append-map (lambda (entry)
                  (if (not entry)
                      '()
                      (begin
                        (timeline-go! (car entry))
                        (let ((found (wrong (car entry) (append (up-to (cdr entry) 4) (list (cadr entry))))))
                          (append found
                                  (if (comparison-same? (timeline-compare (car entry) (car entry)))
                                      '()
                                      (list (list 'compare)))
                                  (begin (goto-start!) (wrong (car entry) (up-to (reverse (cdr entry)) 4))))))))
                (list one (cons "original" states) two three (cons "original" states)))))

;; ---- a program ---------------------------------------------------------------------------------------

;; What is wrong with a program: a list, '() where all is well. step: between states that are looked at.
(define (mistakes path arguments input step limit spacing)
  (let* ((found '())
         (note! (lambda (more) (set! found (append found more))))
         (written
          (in-session path arguments input spacing
            (lambda ()
              (let* ((states (states-forward step limit))
                     (some (lambda (n) (up-to states n)))
                     (pcs (map (lambda (state) (goto-count! (car state)) (target-pc)) (some 3)))
                     (data (symbol-value "data")))
                (note! (wrong 'state (if (= step 1) states (some 12))))
                (note! (wrong 'state (some 12)))
                (note! (wrong-steps (some 8)))
                (note! (wrong-replay states step))
                (if (not (timeline-past?)) (goto-start!))
                (note! (wrong-stops pcs (and data (+ data (* 8 (random 1000)))) states))))))
         (plain (in-session path arguments input spacing (lambda () (states-forward step limit)))))
    ;; Random numbers are the same in every machine, the clock is not.
    (if (not (string=? written plain)) (note! (list (list 'written-once))))
    (in-session path arguments input spacing
      (lambda () (note! (wrong-what-ifs (states-forward step limit) (quotient limit 4)))))
    found))

(define words "12 + 3 * (4 - 1)\nsome words\nto be read\n")

(test-group "examples"
  (for-each
   (lambda (example)
     (let ((name (car example)) (arguments (cadr example)) (step (caddr example)) (limit (cadddr example)))
       (seed! 0)
       (test (text name ": " (if (= step 1) "every count" "some counts")) '()
             (mistakes (text "examples/" name ".s") arguments words step limit (max 20 (quotient limit 30))))))
   '(("hello" () 1 1000)
     ("fib" () 7 3000)
     ("calculator" () 13 20000)
     ("wc" () 1 2000)
     ("queens" () 5003 300000)
     ("sieve" () 401 100000)
     ("sha256" () 1009 100000)
     ("life" ("3") 5003 300000)
     ("mandelbrot" () 10007 500000)
     ("count" () 50021 2000000))))

(define path (string-append (temporary-path "comet-vm-travel") ".s"))

(test-group "programs by chance"
  (let loop ((number first) (failed #f))
    (if (and (< number (+ first count)) (not failed))
        (begin
          (seed! number)
          (write-file-text path (random-program random))
          (let ((found (mistakes path '() words (if (even? number) 1 (+ 2 (random 9))) 400 (+ 5 (random 60)))))
            (if (null? found)
                (loop (+ number 1) #f)
                (loop number (list 'program number 'of 'seed seed 'kept 'as path found)))))
        (begin
          (if (not failed) (delete-file path))
          (test (text count " of them") #f failed)))))
