;; A small test harness. A test states a promise, the value that keeps it, and the expression that must give
;; that value; what fails is shown with its place, and nothing else is, but for the count at the end.
;;
;;   (use scheme-lib/test)
;;   (test-group "arithmetic"
;;     (test "sums are commutative" (+ 2 1) (+ 1 2))
;;     (test-error "text has no sum" (+ "1" 2)))
;;   (test-finish)          ; prints "2 passed, 0 failed" and exits with 0, or 1 where a test failed
;;
;; A *detail* of a failure is a pair of texts: ("expected" . "3"). Whoever has another kind of test makes its
;; details and gives them to test-check.

(module scheme-lib/test)
(use scheme-lib/util)
(declare (block))

(define passed 0)
(define failed 0)
(define groups '())

(define-documented test-style
  "A parameter: how results are written, text for people or tap for programs that read TAP 14."
  (make-parameter 'text))

(define-documented test-filter
  "A parameter: only tests in whose full name, groups included, this text occurs are done; #f: all are."
  (make-parameter #f))

(define-documented test-verbose
  "A parameter: whether tests that pass are shown, too. True from the start where COMET_TEST_VERBOSE is set."
  (make-parameter (and (getenv "COMET_TEST_VERBOSE" #f) #t)))

(define (seed-of-environment)
  (let ((number (string->number (getenv "COMET_TEST_SEED" ""))))
    (and (integer? number) (exact? number) (<= 0 number) number)))

(define-documented test-seed
  "A parameter: the number that generated inputs follow from. COMET_TEST_SEED sets it, else the clock does."
  (make-parameter (or (seed-of-environment)
                      (modulo (inexact->exact (floor (* 1000 (time->seconds (current-time))))) 1000000000))))

(define (test-passed) passed)
(define (test-failed) failed)

(define-documented (test-reset!)
  "Begins counting anew."
  (set! passed 0)
  (set! failed 0))

;; ---- what is written -------------------------------------------------------------------------------

(define (say . parts) (for-each display parts) (newline))

;; Only people at a terminal are helped by colours; NO_COLOR is how they say that they are not.
(define (coloured string code)
  (if (and (eq? (test-style) 'text) (tty? (current-output-port)) (not (getenv "NO_COLOR" #f)))
      (text "\33[" code "m" string "\33[0m")
      string))

(define (red string) (coloured string 31))
(define (green string) (coloured string 32))

(define (full-name promise)
  (string-join (reverse (cons promise groups)) ": "))

;; Paths below the current directory are shown from there.
(define (short-path path)
  (let ((here (current-directory)) (path (path-expand path)))
    (if (string-prefix? here path) (substring path (string-length here) (string-length path)) path)))

(define (place->text place)
  (text (short-path (car place)) ":" (cdr place)))

;; Nobody reads thousands of elements.
(define longest-detail 2000)
(define (cut string)
  (if (> (string-length string) longest-detail) (string-append (substring string 0 longest-detail) " ...") string))

;; Further lines of a detail stand below its first.
(define (say-detail detail)
  (say "  " (string-pad-right (car detail) 13)
       (string-join (string-split (cut (cdr detail)) #\newline) (string-append "\n" (make-string 15 #\space)))))

;; In TAP a # begins a directive.
(define (tap-name name)
  (string-replace (string-replace (string-replace name "\\" "\\\\") "#" "\\#") "\n" " "))

;; A double-quoted string of YAML, as JSON has it.
(define (yaml-string content)
  (string-join
   (append '("\"")
           (map (lambda (c)
                  (let ((code (char->integer c)))
                    (cond ((memv c '(#\" #\\)) (list->string (list #\\ c)))
                          ((char=? c #\newline) "\\n")
                          ((or (< code 32) (<= 127 code 159)) (text "\\u" (hex code 4)))
                          (else (string c)))))
                (string->list content))
           '("\""))
   ""))

(define (tap-line-begin) (if (= 1 (+ passed failed)) (say "TAP version 14")))

(define (report-failure promise place details)
  (set! failed (+ failed 1))
  (if (eq? (test-style) 'tap)
      (begin
        (tap-line-begin)
        (say "not ok " (+ passed failed) " - " (tap-name (full-name promise)))
        (say "  ---")
        (for-each (lambda (detail) (say "  " (car detail) ": " (yaml-string (cut (cdr detail)))))
                  (if place (cons (cons "at" (place->text place)) details) details))
        (say "  ..."))
      (begin
        (say (red "FAILED") " " (full-name promise))
        (if place (say "  " (place->text place)))
        (for-each say-detail details))))

(define (report-success promise)
  (set! passed (+ passed 1))
  (cond ((eq? (test-style) 'tap)
         (tap-line-begin)
         (say "ok " (+ passed failed) " - " (tap-name (full-name promise))))
        ((test-verbose) (say (green "ok") "     " (full-name promise)))))

;; ---- groups and tests ------------------------------------------------------------------------------

(define (test-run-group name thunk)
  (let ((outer groups))
    (set! groups (cons name groups))
    (with-exception-catcher
     (lambda (exception)
       (report-failure "the group itself ends in an error" #f (list (cons "error" (exception->text exception)))))
     thunk)
    (set! groups outer)))

(define (wanted? promise)
  (or (not (test-filter)) (string-contains (full-name promise) (test-filter))))

(define-documented (test-check promise place thunk)
  "One test of any kind: THUNK gives '() where the promise is kept, else what is to be told of the failure, a
list of pairs of texts. PLACE is (path . line), or #f."
  (if (wanted? promise)
      (let ((details (with-exception-catcher
                      (lambda (exception) (list (cons "error" (exception->text exception))))
                      thunk)))
        (if (null? details) (report-success promise) (report-failure promise place details)))))

;; #(value) or the exception itself
(define (outcome-of thunk)
  (with-exception-catcher (lambda (exception) exception) (lambda () (vector (thunk)))))

(define (value? outcome)
  (and (vector? outcome) (= (vector-length outcome) 1)))

(define (shown outcome)
  (if (value? outcome)
      (written (vector-ref outcome 0))
      (text "error: " (exception->text outcome))))

(define (details expression expected actual)
  (list (cons "expression" (written expression)) (cons "expected" expected) (cons "actual" actual)))

(define (test-run promise expression place expected-thunk actual-thunk same?)
  (test-check promise place
    (lambda ()
      (let* ((expected (outcome-of expected-thunk))
             (actual (outcome-of actual-thunk)))
        (if (and (value? expected)
                 (value? actual)
                 (same? (vector-ref expected 0) (vector-ref actual 0)))
            '()
            (details expression (shown expected) (shown actual)))))))

(define (test-run-error promise expression place part thunk)
  (test-check promise place
    (lambda ()
      (let* ((outcome (outcome-of thunk))
             (message (and (not (value? outcome)) (exception->text outcome))))
        (if (and message (string-contains message part))
            '()
            (details expression
                     (if (string=? part "") "an error" (text "an error with " (written part)))
                     (shown outcome)))))))

;; ---- the end ---------------------------------------------------------------------------------------

(define-documented (test-status)
  "The exit status that the tests so far deserve: 0, or 1 when one failed, or when none fits the filter."
  (if (and (= failed 0) (or (> passed 0) (not (test-filter)))) 0 1))

(define-documented (test-summary)
  "Prints how many tests passed and failed; in TAP, the plan."
  (let ((line (text passed " passed, " failed " failed"))
        (none? (and (= 0 (+ passed failed)) (test-filter))))
    (if (eq? (test-style) 'tap)
        (begin
          (if (= 0 (+ passed failed)) (say "TAP version 14"))
          (say "1.." (+ passed failed))
          (say "# " line))
        (begin
          (if none? (say "no test has `" (test-filter) "` in its name"))
          (say (if (= failed 0) line (red line))))))
  (force-output))

(define-documented (test-finish)
  "Prints the summary and exits with the tests' status."
  (test-summary)
  (exit (test-status)))

(define-documented (test-file path)
  "Loads a file of tests; an error that ends it counts as a failed test."
  (with-exception-catcher
   (lambda (exception)
     (report-failure (text "the file " path " ends in an error") #f (list (cons "error" (exception->text exception)))))
   (lambda () (load path))))
