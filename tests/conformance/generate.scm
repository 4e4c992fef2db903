;;; generate.scm: writes the conformance cases.  gsi generate.scm INSTRUCTIONS.DEF CASES

(include "oracle.scm")
(include "memory-model.scm")
(include "case-file.scm")
(include "value-cases.scm")
(include "memory-cases.scm")
(include "control-cases.scm")

(define (write-cases instruction)
  (let ((name (instruction-name instruction)))
    (case (instruction-group instruction)
      ((memory) (write-memory-cases name))
      ((atomic) (write-atomic-cases name))
      ((branch) (write-branch-cases instruction))
      (else
       (if (oracle-knows? name)
           (write-value-cases instruction)
           (write-control-cases name))))))

(define (generate definitions cases)
  (let ((instructions (read-instruction-table definitions)))
    (with-output-to-file cases
      (lambda ()
        (for-each (lambda (instruction)
                    (write-line "i" (instruction-opcode instruction) (symbol->string (instruction-name instruction))
                                (if (null? (instruction-operands instruction))
                                    "-"
                                    (list->string (instruction-operands instruction)))))
                  instructions)
        (for-each (lambda (page)
                    (write-line "g" (car page) (if (string=? (cadr page) "") "-" (cadr page))))
                  pages)
        (for-each write-cases instructions)))))

;; gsi without a terminal loses the message of an error that nobody catches.
(define (complain exception)
  (let ((port (current-error-port)))
    (display "conformance: the cases could not be generated: " port)
    (display-exception exception port)
    (force-output port)
    (exit 1)))

;; The last two words, whether this Gambit counts its own name among the arguments or not.
(let ((words (reverse (command-line))))
  (if (>= (length words) 3)
      (begin
        (with-exception-catcher complain (lambda () (generate (cadr words) (car words))))
        ;; gsi without a terminal ends with an error status of its own.
        (exit 0))
      (begin
        (display "usage: gsi generate.scm INSTRUCTIONS.DEF CASES\n" (current-error-port))
        (force-output (current-error-port))
        (exit 2))))
