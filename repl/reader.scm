;; What a line typed at the prompt means: a command, Scheme, or a mistake.
;;
;;   - a line that begins with ( ' ` , " # or a digit is Scheme
;;   - a line whose first word is a command is that command
;;   - one word alone is a register, a symbol of the program or a number of the assembler's, which `print`
;;     shows, or else a Scheme variable
;;
;; Lines whose parentheses, strings or comments do not end are continued; a command that opens a block, up to a
;; line `end`.
;;
;;   (read-entry "step 3" more)   => (command "step 3")
;;   (read-entry "(+ 1" more)     => (scheme SOURCE ...), `more` having given the next line
;;
;; Others: (line "text") where each line is somebody's own, (empty), (error "message"), (end) when the input ended within an entry, (cancelled).

(module repl/reader)
(use scheme-lib/util)
(use debugger/words)
(use debugger/command)
(use debugger/line-mode)
(use debugger/program)
(use debugger/value)

;; Adds lines from `more` to the text until complete? agrees, then gives (finish text).
(define (read-whole text more complete? finish)
  (if (complete? text)
      (finish text)
      (let ((line (more)))
        (cond ((eof-object? line) '(end))
              ((eq? line 'cancelled) '(cancelled))
              (else (read-whole (string-append text "\n" line) more complete? finish))))))

;; ---- Scheme ----------------------------------------------------------------------------------------

;; The reader fails in the same way on "(a . )", which no further line mends.
(define (incomplete? exception text)
  (and (datum-parsing-exception? exception)
       (case (datum-parsing-exception-kind exception)
         ((incomplete-form-eof-reached) #t)
         ((datum-expected) (not (string-suffix? ")" (string-trim text))))
         (else #f))))

;; The sources of all data in a text, an error, or #f when it is incomplete.
(define (read-sources text)
  (with-exception-catcher
   (lambda (exception)
     (if (incomplete? exception text) #f (list 'error (exception->text exception))))
   (lambda ()
     (let ((port (open-input-string text)))
       (let loop ((sources '()))
         (let ((source (##read-expr-from-port port)))
           (if (eof-object? source)
               (if (null? sources) '(empty) (cons 'scheme (reverse sources)))
               (loop (cons source sources)))))))))

(define (read-scheme text more)
  (let ((entry #f))
    (read-whole text more
                (lambda (text) (set! entry (read-sources text)) entry)
                (lambda (text) entry))))

;; ---- words -----------------------------------------------------------------------------------------

;; Whether Scheme has a variable of that name.
(define (bound-name? name)
  (with-exception-catcher
   (lambda (exception) #f)
   (lambda () (eval (string->symbol name)) #t)))

(define (read-command text more)
  (let* ((all (words text))
         (block? (command-block (command-named (car all)))))
    (read-whole text more
                (if (and block? (words-complete? text) (block? (cdr all))) block-complete? words-complete?)
                (lambda (text) (list 'command text)))))

(define (block-complete? text)
  (let ((newline (string-index-right text #\newline)))
    (and newline (string=? "end" (string-trim (substring text newline (string-length text)))))))

(define (read-word text word nested?)
  (cond ((or (printable-word? word) (and (register-word? word) (not (bound-name? word))))
         (list 'command (string-append "print " word)))
        ((or nested? (bound-name? word)) (read-sources text))
        (else
         (list 'error
               (string-append "`" word "` is neither a command, a register, a symbol of the program nor a "
                              "Scheme variable"
                              (did-you-mean word (append (map symbol->string (command-names)) (program-names)))
                              "; help lists the commands")))))

(define (scheme-start? c) (or (memv c '(#\( #\) #\' #\` #\, #\" #\#)) (char-numeric? c)))

(define (signed-number? word) (and (memv (string-ref word 0) '(#\- #\+ #\.)) (string->number word) #t))

;; A number as the assembler writes it and Scheme does not: 0x1F, 1_000. `print` reads it, or says what is wrong.
(define (assembler-number? all)
  (and (null? (cdr all)) (char-numeric? (string-ref (car all) 0)) (not (string->number (car all)))))

;; nested?: in a REPL within a Scheme error, where names may be local variables.
(define (read-entry text more #!optional (nested? #f))
  (if (line-mode) (list 'line text) (read-words text more nested?)))

(define (read-words text more nested?)
  (let ((all (words text)))
    (cond ((null? all)
           (list 'empty))
          ((assembler-number? all)
           (list 'command (string-append "print " (car all))))
          ((or (scheme-start? (string-ref (string-trim text) 0)) (signed-number? (car all)))
           (read-scheme text more))
          ((command-named (car all))
           (read-command text more))
          ((null? (cdr all))
           (read-word text (car all) nested?))
          (else
           (list 'error
                 (string-append "`" (car all) "` is not a command" (did-you-mean (car all) (command-names))
                                "; help lists them, and a Scheme expression begins with ("))))))
