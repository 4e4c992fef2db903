;; Commands: help, apropos.

(module debugger/help-commands)
(use scheme-lib/util)
(use debugger/command)
(use debugger/show)

(define group-order '(program running time stopping looking changing other))

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
    (say "A Scheme expression begins with ( or is a variable's name; help COMMAND tells more of a command.")))

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

(define-command (help #!optional (command command-name #f))
  "Lists the commands, or tells what COMMAND does."
  aliases: (h) group: other
  (if command (show-command (command-named command)) (show-overview)))

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
