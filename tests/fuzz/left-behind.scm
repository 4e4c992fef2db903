;; Damaged cores and recordings, opened as `comet-vm debug` opens them: each is refused in a line, or is a program to be
;; looked at, with a past where it is a recording. The folder of the files is in DAMAGED, their number in COUNT.

(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/timeline)
(use debugger/left-behind)
(use debugger/run)
(use debugger/show)

(define folder (getenv "DAMAGED"))
(define count (string->number (getenv "COUNT")))

;; What a person does first with what was opened.
(define (look-around)
  (target-activations 10)
  (target-registers)
  (instruction-line (or (target-instruction (target-pc)) (raise-user-error "nothing is at the pc")))
  (reverse-step!)
  (step-program! 100)
  (goto-start!))

;; refused, opened, or what went wrong: an error that is not for people, or one of several lines.
(define (outcome open path)
  (parameterize ((current-session (new-session)))
    (session-streams-set! (the-session) (list (open-input-string "") (open-output-string) (open-output-string)))
    (with-exception-catcher
     (lambda (exception)
       (let ((line (error-line exception)))
         (cond ((or (string=? line "") (string-contains line "\n") (string-contains line "#<")) line)
               (else 'refused))))
     (lambda () (open path) (look-around) 'opened))))

(test-group "damaged cores and recordings"
  (let* ((outcomes (append-map (lambda (n)
                                 (let ((path (text folder "/" n)))
                                   (list (outcome load-core! path) (outcome load-recording! path))))
                               (iota count)))
         (bad (remove (lambda (outcome) (memq outcome '(refused opened))) outcomes)))
    (test "end in a line of an error or in a state" '() (delete-duplicates bad))
    (test-assert "some are refused" (memq 'refused outcomes))
    (test-assert "and some can be looked at" (memq 'opened outcomes))))
