;; The command table: what can be typed at the prompt, with its help, its completion and its errors.
;;
;;   (define-command (step #!optional (count count 1))
;;     "Executes one instruction, or COUNT of them."
;;     aliases: (s) group: running
;;     (step! (current-session) count))
;;
;;   (run-command "step 3")   does it
;;
;; The kinds of arguments are a table too: each says how a word becomes a value and how it is completed.
;; Commands and kinds of the same name replace each other, so that a user's own come on top.

(module debugger/command)
(use scheme-lib/util)
(use debugger/words)
(use asm/diagnostic)

;; ---- errors ----------------------------------------------------------------------------------------

;; A mistake of the person at the prompt: told in one line, without a nested REPL.
(define-type user-error
  constructor: make-user-error
  message)

(define (raise-user-error . parts) (raise (make-user-error (apply text parts))))

;; Commands that failed since the start; the exit status of a script depends on it.
(define failures 0)
(define (command-failures) failures)

(exception-text! user-error? user-error-message)

;; One line, or a line for each mistake in a source.
(define error-line exception->text)

;; The assembler's lines say themselves that they are errors, and where.
(define (error-text exception)
  (if (asm-error? exception) (error-line exception) (text "error: " (error-line exception))))

;; Does thunk; an error becomes one line, and the value is then #f.
(define (call-with-error-lines thunk)
  (with-exception-catcher
   (lambda (exception)
     (set! failures (+ failures 1))
     (display (text (error-text exception) "\n"))
     #f)
   thunk))

;; What thunk gives; Ctrl-C leaves it at once, wherever it is, and (interrupted) is done instead. What must be done as a
;; whole is done within call-interruptibly, which only notes Ctrl-C.
(define (call-escapable thunk interrupted)
  ((call/cc
    (lambda (return)
      (parameterize ((current-user-interrupt-handler (lambda () (return interrupted))))
        (let ((value (thunk))) (lambda () value)))))))

;; ---- kinds of arguments ------------------------------------------------------------------------------

(define-type argument-kind
  constructor: make-argument-kind
  name text parse complete)

(define kinds (make-table test: eq?))

(define (register-argument-kind! name text parse complete)
  (table-set! kinds name (make-argument-kind name text parse complete)))

(define (argument-kind name)
  (or (table-ref kinds name #f)
      (error "no such kind of argument; define-argument-kind makes one:" name)))

;; ---- the table -------------------------------------------------------------------------------------

(define-type command
  constructor: make-command
  name aliases group shape repeat block text procedure)

(define (shape-entry-name entry) (car entry))
(define (shape-entry-kind entry) (argument-kind (cadr entry)))
(define (shape-entry-mode entry) (caddr entry))

(define table (make-table test: eq?))   ; name -> command
(define aliases (make-table test: eq?)) ; alias -> name
(define order '())                      ; names, the newest first

(define (register-command! command)
  (for-each shape-entry-kind (command-shape command))
  (let ((name (command-name command)))
    (if (not (table-ref table name #f)) (set! order (cons name order)))
    (table-set! table name command)
    (for-each (lambda (alias) (table-set! aliases alias name)) (command-aliases command))))

(define (command-named name)
  (let ((name (if (string? name) (string->symbol name) name)))
    (or (table-ref table name #f) (table-ref table (table-ref aliases name #f) #f))))

(define (commands) (map (lambda (name) (table-ref table name)) (reverse order)))
(define (command-names) (append (reverse order) (map car (table->list aliases))))

(define (command-or-error name)
  (or (command-named name)
      (raise-user-error "`" name "` is not a command" (did-you-mean name (command-names))
                        "; help lists them")))

;; The first sentence of its text.
(define (command-summary command)
  (let* ((text (command-text command)) (end (string-contains text ". ")))
    (if end (substring text 0 (+ end 1)) text)))

;; "break WHERE", "step [COUNT]"
(define (command-usage command)
  (string-join
   (cons (symbol->string (command-name command))
         (map (lambda (entry)
                (let ((name (string-upcase (symbol->string (shape-entry-name entry)))))
                  (case (shape-entry-mode entry)
                    ((optional) (text "[" name "]"))
                    ((rest) (text "[" name " ...]"))
                    (else name))))
              (command-shape command)))))

;; ---- doing one -------------------------------------------------------------------------------------

(define (parse-word entry word) ((argument-kind-parse (shape-entry-kind entry)) word))

;; What is left of the line behind the words before it, for arguments of the kind `line`.
(define (rest-of-line line skipped)
  (let loop ((words skipped) (i 0))
    (if (null? words)
        (string-trim (substring line i (string-length line)))
        (loop (cdr words) (+ (string-contains line (car words) i) (string-length (car words)))))))

(define (parse-arguments command line)
  (let ((all (words line)))
    (define (usage) (text "usage: " (command-usage command)))
    (let loop ((shape (command-shape command)) (given (cdr all)) (taken (list (car all))))
      (cond ((null? shape)
             (if (null? given)
                 '()
                 (raise-user-error "`" (command-name command) "` does not take `" (car given) "`; " (usage))))
            ((and (eq? (cadr (car shape)) 'line) (pair? given))
             (list (rest-of-line line (reverse taken))))
            ((eq? (shape-entry-mode (car shape)) 'rest)
             (map (lambda (word) (parse-word (car shape) word)) given))
            ((pair? given)
             (let ((value (parse-word (car shape) (car given))))
               (cons value (loop (cdr shape) (cdr given) (cons (car given) taken)))))
            ((eq? (shape-entry-mode (car shape)) 'optional) '())
            (else
             (raise-user-error "`" (command-name command) "` needs "
                               (argument-kind-text (shape-entry-kind (car shape))) "; " (usage)))))))

;; Does one command line and gives the command's value. Errors are raised.
(define (run-command line)
  (let* ((command (command-or-error (car (words line)))))
    (apply (command-procedure command) (parse-arguments command line))))

(define-argument-kind word "a word" (lambda (word) word))
(define-argument-kind line "a line" (lambda (word) word))
(define-argument-kind command-name "a command"
  (lambda (word) (command-name (command-or-error word)))
  (lambda (beginning)
    (filter (lambda (name) (string-prefix? beginning name)) (map symbol->string (command-names)))))
