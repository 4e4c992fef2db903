;; Commands: help, apropos.

(module debugger/help-commands)
(use scheme-lib/util)
(use debugger/command)
(use debugger/show)

(define group-order '(program running time stopping looking questions profiles changing other))

(define (groups)
  (delete-duplicates (append group-order (map command-group (commands)))))

(define (command-rows commands)
  (map (lambda (command) (list (text "  " (command-usage command)) (command-summary command))) commands))

(define (show-overview)
  (let ((rows (map (lambda (group)
                     (cons group (filter (lambda (command) (eq? (command-group command) group)) (commands))))
                   (groups))))
    (for-each
     (lambda (row)
       (if (pair? (cdr row))
           (begin
             (say (car row) ":")
             (for-each (lambda (command)
                         (say "  " (wide (command-usage command)) " " (command-summary command)))
                       (cdr row)))))
     rows)
    (say "help NAME tells more of a command or a Scheme procedure; apropos PART finds both.")
    (say "A Scheme expression begins with ( or is a variable's name. (the-machine) gives the machine that the")
    (say "commands speak of, for procedures: (machine-register-set! (the-machine) 'r5 10).")))

(define (wide usage) (if (< (string-length usage) 32) (string-pad-right usage 32) usage))

;; Breaks a text into lines of up to `width` characters.
(define (filled text width)
  (let loop ((words (string-split text #\space)) (line "") (lines '()))
    (cond ((null? words) (reverse (cons line lines)))
          ((string=? line "") (loop (cdr words) (car words) lines))
          ((> (+ (string-length line) 1 (string-length (car words))) width) (loop words "" (cons line lines)))
          (else (loop (cdr words) (string-append line " " (car words)) lines)))))

(define (show-command command)
  (say (command-usage command)
       (if (null? (command-aliases command))
           ""
           (text "    also: " (string-join (map symbol->string (command-aliases command)) ", "))))
  (for-each (lambda (line) (say "  " line)) (filled (command-text command) 90)))

;; What stands in the documentation of a Scheme procedure.
(define (show-procedure name)
  (say (written (documentation-usage name)))
  (for-each (lambda (line) (say "  " line)) (string-split (documentation name) #\newline)))

(define-argument-kind topic "a command or the name of a Scheme procedure"
  (lambda (word)
    (let ((name (string->symbol word)))
      (if (or (command-named name) (documentation name))
          name
          (raise-user-error "`" word "` is neither a command nor a documented Scheme procedure"
                            (did-you-mean word (append (command-names) (documented-names)))
                            "; help lists the commands, apropos PART finds procedures"))))
  (lambda (beginning)
    (filter (lambda (name) (string-prefix? beginning name))
            (map symbol->string (append (command-names) (documented-names))))))

(define-command (help #!optional (topic topic #f))
  "Lists the commands, or tells what TOPIC does. That is a command or a Scheme procedure: help break, help \
machine-register."
  aliases: (h) group: other
  (cond ((not topic) (show-overview))
        ((command-named topic) => show-command)
        (else (show-procedure topic))))

(define-command (apropos (part name))
  "Lists commands and Scheme procedures that tell of something. PART is looked for in names and help."
  group: other
  (let* ((part (string-downcase part))
         (holds? (lambda (text) (string-contains (string-downcase text) part)))
         (found (filter (lambda (command) (or (holds? (command-usage command)) (holds? (command-text command))))
                        (commands)))
         (names (filter (lambda (name) (or (holds? (symbol->string name)) (holds? (documentation name))))
                        (documented-names))))
    (if (and (null? found) (null? names)) (say "nothing is called, or tells of, `" part "`"))
    (columns (append (command-rows found)
                     (map (lambda (name) (list (text "  " (written (documentation-usage name)))
                                               (car (string-split (documentation name) #\newline))))
                          names)))))
