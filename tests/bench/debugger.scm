;; What the debugger costs while a program runs, and how fast it goes back and answers. Figures are processor time for
;; whole runs, which are compared, and the clock for what a person waits for.

(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/image)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/run)
(use debugger/questions)

(define programs '("fib" "sieve" "matmul" "mandel" "nbody" "sha256" "qsort" "hash" "forth" "search" "chase" "calls"))
(define rounds (string->number (getenv "ROUNDS" "3")))

(define (processor-time thunk) (let ((before (cpu-time))) (thunk) (- (cpu-time) before)))
(define (milliseconds thunk) (let ((before (real-time))) (thunk) (* 1000 (- (real-time) before))))

(define (decimals number places)
  (let* ((n (inexact->exact (round (* number (expt 10 places))))) (digits (number->string n))
         (padded (text (make-string (max 0 (- (+ places 1) (string-length digits))) #\0) digits))
         (point (- (string-length padded) places)))
    (if (= places 0) padded (text (substring padded 0 point) "." (substring padded point (string-length padded))))))

(define (row . columns)
  (display (text (apply text (map (lambda (column) (text (string-pad-right (text column) 14))) columns)) "\n"))
  (force-output))

;; ---- while it runs -------------------------------------------------------------------------------------

(define (run-alone path)
  (let ((machine (make-machine)) (output (open-output-string)))
    (machine-stream-set! machine 1 output)
    (machine-load! machine (loaded-image (read-program path)))
    (processor-time (lambda () (machine-run! machine)))))

(define (run-in-debugger path recorded?)
  (parameterize ((current-session (new-session)) (timeline-wanted recorded?))
    (session-streams-set! (the-session) (list 'input (open-output-string) 'error))
    (load-program! path)
    (if (not recorded?) (breakpoint-add! (+ (target-pc) 1000000) "elsewhere"))
    (processor-time (lambda () (continue-program!)))))

(define (geometric-mean numbers) (exp (/ (apply + (map log numbers)) (length numbers))))

(define (ratios program)
  (let* ((path (text "tests/bench/programs/" program ".s"))
         (times (map (lambda (i) (list (run-alone path) (run-in-debugger path #f) (run-in-debugger path #t))) (iota rounds)))
         (best (lambda (pick) (apply min (map pick times))))
         (alone (best car)) (idle (/ (best cadr) alone)) (recorded (/ (best caddr) alone)))
    (row program (text (decimals alone 2) " s") (decimals idle 3) (decimals recorded 3))
    (cons idle recorded)))

(define (cost-of-running)
  (display "The debugger: time of a run, 1 being the machine alone, the best of some rounds\n")
  (row "program" "alone" "idle" "recording")
  (let ((all (map ratios programs)))
    (row "mean" "" (decimals (geometric-mean (map car all)) 3) (decimals (geometric-mean (map cdr all)) 3))))

;; ---- going back ------------------------------------------------------------------------------------------

;; The program writes here and there in so many words, a power of two.
(define (call-with-endless-program words instructions body)
  (let ((path (string-append (temporary-path "comet-vm-bench") ".s")))
    (write-file-text path (string-replace (read-file-text "tests/bench/endless.s") "0x1ffff" (number->string (- words 1))))
    (parameterize ((current-session (new-session)))
      (load-program! path)
      (delete-file path)
      (continue-program! instructions)
      (body))))

(define (mean numbers) (/ (apply + numbers) (length numbers)))
(define (least-and-most times) (text (decimals (mean times) 0) " ms on average, " (decimals (apply max times) 0) " at most"))

;; Where moments lie is not what a person chooses: so going back begins from several ends.
(define (time-travel words instructions ends . questions)
  (call-with-endless-program words instructions
   (lambda ()
     (let* ((ask (lambda (i)
                   (let ((first (milliseconds reverse-step!)) (next (milliseconds reverse-step!)))
                     (goto-count! (timeline-end (the-timeline)))
                     (continue-program! 17300003)
                     (cons first next))))
            (back (map ask (iota ends)))
            (end (timeline-end (the-timeline)))
            (points (map (lambda (i) (quotient (* end (modulo (* 7 i) 16)) 16)) (iota 16)))
            (times (map (lambda (point) (milliseconds (lambda () (goto-count! point)))) points)))
       (display (text "After " instructions " instructions that wrote " (quotient words 131072) " MiB here and there:\n"
                      "  reverse-step " (least-and-most (map car back)) "; the next one " (least-and-most (map cdr back)) "\n"
                      "  goto         " (least-and-most times) "\n"))
       (goto-count! end)
       (for-each
        (lambda (what)
          (display (text "  last-write " what ": " (decimals (milliseconds (lambda () (last-write what))) 0) " ms\n"))
          (force-output))
        questions)))))

;; ---- a snapshot ------------------------------------------------------------------------------------------

(define (snapshot-time)
  (let* ((pages 16384) (begin #x100000) (machine (make-machine memory-limit: (* (+ pages 1) 65536 2))))
    (machine-map! machine begin (* pages 65536) 'rw)
    (for-each (lambda (i) (machine-poke! machine (+ begin (* i 65536)) 1)) (iota pages))
    (let ((times (map (lambda (i) (milliseconds (lambda () (machine-snapshot machine)))) (iota 21))))
      (display (text "A snapshot of a machine that touched 1 GiB: "
                     (decimals (* 1000 (list-ref (sort times <) 10)) 1) " microseconds\n")))))

(snapshot-time)
;; r2 is written all the time, r12 never.
(time-travel 131072 1000000000 8 "r2" "rounds" "r12")
(time-travel 131072 10000000000 8 "r2" "rounds")
(time-travel 2097152 1000000000 4)
(cost-of-running)
