;; A line of the prompt where there is no prompt: in an editor's console, and on the screen.
;;
;;   (do-line "print (+ 1 2)")   => "(+ 1 2) = 3\n", what it said; a mistake is raised

(module repl/do-line)
(use scheme-lib/util)
(use debugger/command)
(use debugger/line-mode)
(use repl/reader)

(define (show-value value) (if (not (eq? value (void))) (pretty-print value)))

(define (evaluate source)
  (call-with-values (lambda () (##eval-top source ##interaction-cte)) (lambda values (for-each show-value values))))

(define (do-line line)
  (with-captured-output
   (lambda ()
     (let ((entry (read-entry line (lambda () #!eof))))
       (case (car entry)
         ((command) (run-command (cadr entry)))
         ((line) ((line-mode-do (line-mode)) (cadr entry)))
         ((scheme) (for-each evaluate (cdr entry)))
         ((error) (raise-user-error (cadr entry)))
         ((end) (raise-user-error "the line ends within an expression or a string")))))))
