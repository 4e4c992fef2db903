;; The read-eval-print loop: commands and Scheme, at a terminal or from a file or a pipe.
;;
;; At a terminal it is Gambit's own REPL with another reader: nested levels, ,b ,t ,d and the rest work, a
;; Scheme error opens a level, a command's error is one line. From a pipe or a file there are no prompts and
;; no levels; an error is one line, and makes the exit status 1 unless quit says another.

(module repl/repl)
(##include "~~lib/_repl#.scm")
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/words)
(use debugger/show)
(use debugger/command)
(use debugger/session)
(use debugger/run)
(use debugger/value)
(use debugger/program-commands)
(use debugger/line-mode)
(use debugger/simple-vm-commands)
(use debugger/running-commands)
(use debugger/time-commands)
(use debugger/what-if-commands)
(use debugger/question-commands)
(use debugger/profile-commands)
(use debugger/stopping-commands)
(use debugger/looking-commands)
(use debugger/changing-commands)
(use debugger/view-commands)
(use debugger/help-commands)
(use repl/terminal)
(use repl/line-editor)
(use repl/history)
(use repl/completion)
(use repl/reader)
(use repl/prompt)
(use repl/init)
(use repl/tui)
(use repl/style)

;; ---- leaving ---------------------------------------------------------------------------------------

(define status-output-closed 141)
(define status-interrupted 130)

;; Errors that were not commands'.
(define scheme-failures 0)

(define (failed?) (> (+ scheme-failures (command-failures)) 0))

;; status #f: 0, or 1 after errors in a script.
(define (quit #!optional (status #f))
  (flush)
  (exit (cond (status (bitwise-and status 255)) ((and (failed?) (not (terminal-interactive?))) 1) (else 0))))

(define-command (quit #!optional (status count #f))
  "Ends the session. The exit status is STATUS, or 0, or, in a script, 1 after errors."
  aliases: (q exit) group: other repeat: #f
  (quit status))

;; Nobody reads the output any more: the end, and no message, for nobody would read that.
(define (flush)
  (with-exception-catcher
   (lambda (exception) (##exit-with-err-code-no-cleanup (+ 1 status-output-closed)))
   (lambda () (force-output (terminal-output)))))

;; ---- what the program reads --------------------------------------------------------------------------

;; Input for the program comes from where commands come from. Ctrl-C while it waits leaves it waiting: the
;; host call is made again when the program goes on.
(define (program-input length)
  (flush)
  (parameterize ((current-user-interrupt-handler (run-escape))) (read-input-bytes length)))

;; ---- names at the prompt -----------------------------------------------------------------------------

(define libraries
  '(scheme-lib/util scheme-lib/machine scheme-lib/image scheme-lib/loaders/loader scheme-lib/loaders/raw asm/assembler
    debugger/command debugger/session
    debugger/target debugger/program debugger/value debugger/breakpoints debugger/timeline debugger/run debugger/examine
    debugger/views scheme-lib/view debugger/questions debugger/why
    scheme-lib/profile scheme-lib/flame-graph scheme-lib/heat-map debugger/profiles))

(define (import-libraries!)
  (for-each (lambda (library) (eval (list 'use library))) libraries))

;; ---- commands --------------------------------------------------------------------------------------

;; What an empty line does.
(define repeated #f)

(define (remember-repeat! line)
  (let* ((command (command-named (car (words line)))) (repeat (and command (command-repeat command))))
    (set! repeated (if (eq? repeat #t) line repeat))))

;; Gives nothing: what a command has to say it has printed.
(define (do-command line)
  (remember-repeat! line)
  (let ((before (session-stop (current-session))))
    (call-with-error-lines (lambda () (call-escapable (lambda () (run-command line)) interrupted!)))
    (flush)
    (if (not (terminal-interactive?)) (end-after-interruption before))))

;; Ctrl-C while Scheme works, not the machine.
(define (interrupted!)
  (if (terminal-interactive?) (raise-user-error "interrupted") (quit status-interrupted)))

;; A line in a mode in which it is no command.
(define (do-mode-line line)
  (set! repeated #f)
  (call-with-error-lines (lambda () ((line-mode-do (line-mode)) line)))
  (flush))

;; Ctrl-C ends a script, not just the program that it was running.
(define (end-after-interruption before)
  (let ((pause (session-stop (current-session))))
    (if (and pause (not (eq? pause before)) (eq? (pause-reason pause) 'interrupted)) (quit status-interrupted))))

(define (say-error message)
  (set! scheme-failures (+ scheme-failures 1))
  (terminal-write "error: " message "\n"))

;; ---- at a terminal ---------------------------------------------------------------------------------

;; Lines of this entry, for the history.
(define (read-line-with prompt)
  (parameterize ((current-output-port (terminal-output))) (fresh-line))
  (flush)
  (let ((line (if (terminal-editable?)
                  (edit-line prompt complete)
                  (begin (terminal-write prompt) (read-input-line)))))
    (if (string? line) (history-add! line))
    line))

;; Data that stood behind the first one of an entry.
(define pending '())

(define (next-pending)
  (let ((source (car pending)))
    (set! pending (cdr pending))
    source))

(define (command-source line) (##make-source (list 'repl/repl#do-command line) #f))

;; What Gambit's REPL calls for its next expression: gives a source object.
(define (read-expression channel level depth)
  (if (pair? pending)
      (next-pending)
      (let* ((line (read-line-with (prompt-text level depth)))
             (entry (cond ((eof-object? line) '(end))
                          ((eq? line 'cancelled) '(cancelled))
                          (else (read-entry line (lambda () (read-line-with continuation-prompt)) (> level 0))))))
        (define (again) (read-expression channel level depth))
        (case (car entry)
          ((command) (command-source (cadr entry)))
          ((line) (##make-source (list 'repl/repl#do-mode-line (cadr entry)) #f))
          ((scheme) (set! repeated #f) (set! pending (cdr entry)) (next-pending))
          ((empty) (if (and repeated (string=? line "")) (command-source repeated) (again)))
          ((error) (say-error (cadr entry)) (again))
          ((end) (if (> level 0) line (quit)))
          (else (again))))))

(define (terminal-repl)
  (let ((channel (##make-repl-channel-ports (terminal-input) (terminal-output))))
    (macro-repl-channel-read-command-set! channel read-expression)
    (##thread-make-repl-channel-set! (lambda (thread) channel))
    (history-load!)
    ;; Definitions within an error's level are global, as everywhere at the prompt: no warning.
    (set! ##allow-inner-global-define? #t)
    ;; Whoever catches exceptions around the REPL would end it at the first one.
    (with-exception-handler
     (lambda (exception) (##primordial-exception-handler exception))
     (lambda () (##repl-debug #f #t)))
    (quit)))

;; ---- from a pipe or a file ---------------------------------------------------------------------------

(define (print-value value)
  (if (not (eq? value (void))) (pretty-print value (terminal-output))))

(define (evaluate source)
  (with-exception-catcher
   (lambda (exception) (say-error (error-line exception)))
   (lambda () (call-with-values (lambda () (##eval-top source ##interaction-cte)) (lambda values (for-each print-value values))))))

(define (script-repl)
  (let loop ()
    (flush)
    (let ((line (read-input-line)))
      (if (eof-object? line)
          (quit)
          (let ((entry (read-entry line read-input-line)))
            (case (car entry)
              ((command) (do-command (cadr entry)))
              ((line) (do-mode-line (cadr entry)))
              ((scheme) (for-each evaluate (cdr entry)))
              ((error) (say-error (cadr entry)))
              ((end) (say-error "the input ended within an expression or a string")))
            (loop))))))

;; ---- start -----------------------------------------------------------------------------------------

;; What the program's streams are bound to from now on.
(define (connect-streams!)
  (session-connect! (list program-input 'output 2)))

;; `begin`: what to do first.
(define (start-repl #!optional (begin void))
  (terminal-setup!)
  (connect-streams!)
  (import-libraries!)
  (if (terminal-editable?) (show-style styled))
  (load-init-files!)
  (call-with-error-lines begin)
  (if (terminal-interactive?) (terminal-repl) (script-repl)))
