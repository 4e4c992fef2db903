(##namespace ("debugger/command#"
  define-command
  make-command command? command-name command-aliases command-group command-shape command-repeat command-block command-text
  command-procedure command-summary command-usage
  shape-entry-name shape-entry-kind shape-entry-mode
  register-command! command-named command-or-error commands command-names
  define-argument-kind register-argument-kind! argument-kind argument-kind-parse argument-kind-complete
  argument-kind-text
  run-command
  user-error user-error? user-error-message raise-user-error
  error-line
  call-with-error-lines call-escapable
  command-failures))

;; (define-command (NAME argument …) "text" option … body …)
;;
;;   argument   (name kind); behind #!optional (name kind default); behind #!rest (name kind)
;;   text       what help shows; its first sentence is the summary
;;   option     aliases: (name …)
;;              group: name           help lists commands by group
;;              repeat: #f or "line"  what an empty line does after it; the same again unless given
;;              block: procedure      words behind the command -> whether lines up to `end` belong to it
;;   body       what the command does, with the arguments as parsed by their kinds
(##define-macro (define-command head text . rest)
  (define (option key default)
    (let loop ((rest rest))
      (cond ((not (and (pair? rest) (keyword? (car rest)))) default)
            ((eq? (car rest) key) (cadr rest))
            (else (loop (cddr rest))))))
  (define body
    (let loop ((rest rest)) (if (and (pair? rest) (keyword? (car rest))) (loop (cddr rest)) rest)))
  (let each ((arguments (cdr head)) (mode 'required) (shape '()) (parameters '()))
    (cond ((null? arguments)
           `(debugger/command#register-command!
             (debugger/command#make-command
              ',(car head) ',(option aliases: '()) ',(option group: 'other) ',(reverse shape)
              ',(option repeat: #t) ,(option block: #f) ,text (lambda ,(reverse parameters) ,@body))))
          ((memq (car arguments) '(#!optional #!rest))
           (each (cdr arguments)
                 (if (eq? (car arguments) #!rest) 'rest 'optional)
                 shape
                 (cons (car arguments) parameters)))
          (else
           (let ((name (caar arguments)) (kind (cadar arguments)) (default (cddar arguments)))
             (each (cdr arguments)
                   mode
                   (cons (list name kind mode) shape)
                   (cons (if (eq? mode 'optional) (list name (if (pair? default) (car default) #f)) name)
                         parameters)))))))

;; (define-argument-kind NAME "what it is, for error messages" parse [complete])
;;   parse     word -> value; raise-user-error where it makes no sense
;;   complete  the beginning of a word -> the words that it could become
(##define-macro (define-argument-kind name text parse . complete)
  `(debugger/command#register-argument-kind!
    ',name ,text ,parse ,(if (pair? complete) (car complete) '(lambda (beginning) '()))))
