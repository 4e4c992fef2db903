;; A small test harness. A test states a promise, the value that keeps it, and the expression that must give
;; that value; what fails is shown with its place, and nothing else is, but for the count at the end.
;;
;;   (use scheme-lib/test)
;;   (test-group "arithmetic"
;;     (test "sums are commutative" (+ 2 1) (+ 1 2))
;;     (test-error "text has no sum" (+ "1" 2)))
;;   (test-finish)          ; prints "2 passed, 0 failed" and exits with 0, or 1 where a test failed
;;
;; COMET_TEST_VERBOSE=1 shows the tests that pass, too. A routine of a machine's program is tested with
;; test-program, which leaves the machine as it was:
;;
;;   (test-program "square squares" machine 'square
;;     registers: '((r1 . 12)) expect-registers: '((r1 . 144)))

(module scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/machine)
(declare (block))

(define passed 0)
(define failed 0)
(define groups '())

(define verbose? (and (getenv "COMET_TEST_VERBOSE" #f) #t))

(define (test-passed) passed)
(define (test-failed) failed)

(define-documented (test-reset!)
  "Begins counting anew."
  (set! passed 0)
  (set! failed 0))

;; ---- groups and tests ------------------------------------------------------------------------------

(define (test-run-group name thunk)
  (let ((outer groups))
    (set! groups (cons name groups))
    (with-exception-catcher
     (lambda (exception)
       (report-failure (text "the group itself ends in an error: " (exception->text exception)) #f '()))
     thunk)
    (set! groups outer)))

(define (full-name promise)
  (string-join (reverse (cons promise groups)) ": "))

;; Paths below the current directory are shown from there.
(define (place->text place)
  (if (not place)
      "at the prompt"
      (let ((here (current-directory)) (path (path-expand (car place))))
        (text (if (string-prefix? here path)
                  (substring path (string-length here) (string-length path))
                  path)
              ":" (cdr place)))))

(define (report-failure promise place details)
  (set! failed (+ failed 1))
  (for-each display (list "FAILED " (full-name promise) "\n  " (place->text place) "\n"))
  (for-each (lambda (detail)
              (for-each display (list "  " (string-pad-right (car detail) 12) (cdr detail) "\n")))
            details))

(define (report-success promise)
  (set! passed (+ passed 1))
  (if verbose? (for-each display (list "ok     " (full-name promise) "\n"))))

;; #(value) or the exception itself
(define (outcome-of thunk)
  (with-exception-catcher (lambda (exception) exception) (lambda () (vector (thunk)))))

(define (value? outcome)
  (and (vector? outcome) (= (vector-length outcome) 1)))

(define (shown outcome)
  (if (value? outcome)
      (written (vector-ref outcome 0))
      (text "error: " (exception->text outcome))))

(define (test-run promise expression place expected-thunk actual-thunk same?)
  (let* ((expected (outcome-of expected-thunk))
         (actual (outcome-of actual-thunk)))
    (if (and (value? expected)
             (value? actual)
             (same? (vector-ref expected 0) (vector-ref actual 0)))
        (report-success promise)
        (report-failure promise place
                        (list (cons "expression" (written expression))
                              (cons "expected" (shown expected))
                              (cons "actual" (shown actual)))))))

(define (test-run-error promise expression place part thunk)
  (let* ((outcome (outcome-of thunk))
         (message (and (not (value? outcome)) (exception->text outcome))))
    (if (and message (string-contains message part))
        (report-success promise)
        (report-failure promise place
                        (list (cons "expression" (written expression))
                              (cons "expected" (if (string=? part "") "an error" (text "an error with " (written part))))
                              (cons "actual" (shown outcome)))))))

;; ---- the end ---------------------------------------------------------------------------------------

(define-documented (test-status)
  "The exit status that the tests so far deserve: 0, or 1 when one failed."
  (if (= failed 0) 0 1))

(define-documented (test-summary)
  "Prints how many tests passed and failed."
  (for-each display (list passed " passed, " failed " failed\n"))
  (force-output))

(define-documented (test-finish)
  "Prints the summary and exits with the tests' status."
  (test-summary)
  (exit (test-status)))

(define-documented (test-file path)
  "Loads a file of tests; an error that ends it counts as a failed test."
  (with-exception-catcher
   (lambda (exception)
     (report-failure (text "the file " path " ends in an error: " (exception->text exception)) #f '()))
   (lambda () (load path))))

;; ---- programs --------------------------------------------------------------------------------------

;; What a program did: its stop, what it wrote to streams 1 and 2 (u8vectors), and procedures that look at
;; the state that it left behind.
(define-type outcome
  constructor: construct-outcome
  stop output errors (registers unprintable:) (memory unprintable:))

(define (input-port-of input)
  (open-input-u8vector (if (string? input) (string->utf8 input) input)))

(define-documented (run-program machine where #!key (registers '()) (memory '()) (input "") (fuel 10000000))
  "Runs from WHERE (an address, a symbol, or #f for the program's entry) until it stops, and brings the
machine back to what it was. REGISTERS is ((r1 . 5) ...), MEMORY ((address . bytes or string) ...), INPUT
what stream 0 gives. The result is an outcome: outcome-stop, outcome-output and outcome-errors (u8vectors),
((outcome-registers o) 'r1), ((outcome-memory o) address length)."
  (let ((before (machine-snapshot machine))
        (streams (map (lambda (n) (machine-stream machine n)) '(0 1 2)))
        (output (open-output-u8vector))
        (errors (open-output-u8vector)))
    (dynamic-wind
     (lambda () #f)
     (lambda ()
       (for-each (lambda (n what) (machine-stream-set! machine n what))
                 '(0 1 2)
                 (list (input-port-of input) output errors))
       (machine-restart! machine where)
       (for-each (lambda (entry) (machine-register-set! machine (car entry) (cdr entry))) registers)
       (for-each (lambda (entry) (machine-memory-set! machine (car entry) (cdr entry))) memory)
       (let* ((stop (machine-run! machine fuel))
              (after (machine-snapshot machine))
              (seeing (lambda (look)
                        (machine-restore! machine after)
                        (let ((seen (look)))
                          (machine-restore! machine before)
                          seen))))
         (construct-outcome
          stop
          (get-output-u8vector output)
          (get-output-u8vector errors)
          (lambda (register) (seeing (lambda () (machine-register machine register))))
          (lambda (where length) (seeing (lambda () (machine-memory machine where length)))))))
     (lambda ()
       (machine-restore! machine before)
       (for-each (lambda (n what) (machine-stream-set! machine n what)) '(0 1 2) streams)))))

;; The differences between what was expected and what was, ((what expected actual) …); '() is success.
(define-documented (check-program machine where #!key (registers '()) (memory '()) (input "") (fuel 10000000)
                                  (expect-registers '()) (expect-memory '()) (expect-output #f)
                                  (expect-errors #f) (expect-trap #f) (expect-status #f))
  "Runs as run-program does and gives the list of what differs from what is expected: registers, memory,
output and errors (strings or u8vectors), the trap's name, the exit status. A trap that is not expected, and
running out of fuel, differ too."
  (let* ((outcome (run-program machine where registers: registers memory: memory input: input fuel: fuel))
         (stop (outcome-stop outcome)))
    (define (compare what expected actual)
      (if (equal? expected actual) '() (list (list what expected actual))))
    (define (compare-bytes what expected actual)
      (cond ((not expected) '())
            ((string? expected) (compare what expected (utf8->string actual)))
            (else (compare what expected actual))))
    (append
     (if expect-trap
         (compare 'trap expect-trap (stop-trap stop))
         (compare 'reason 'halted (if (eq? (stop-reason stop) 'halted) 'halted (stop->text stop machine))))
     (if expect-status (compare 'status expect-status (stop-exit-status stop)) '())
     (append-map (lambda (entry)
                   (compare (car entry) (u64 (cdr entry)) ((outcome-registers outcome) (car entry))))
                 expect-registers)
     (append-map (lambda (entry)
                   (let ((bytes (if (string? (cdr entry)) (string->utf8 (cdr entry)) (cdr entry))))
                     (compare (car entry) bytes
                              ((outcome-memory outcome) (car entry) (u8vector-length bytes)))))
                 expect-memory)
     (compare-bytes 'output expect-output (outcome-output outcome))
     (compare-bytes 'errors expect-errors (outcome-errors outcome)))))
