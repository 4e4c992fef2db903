;; Commands: view, which defines how memory is shown; display and undisplay, for what is shown at each stop.

(module debugger/view-commands)
(use scheme-lib/util)
(use scheme-lib/view)
(use scheme-lib/view-text)
(use debugger/command)
(use debugger/session)
(use debugger/views)
(use debugger/value)
(use debugger/examine)
(use debugger/show)

;; ---- views -----------------------------------------------------------------------------------------

(define (show-view-named name)
  (let ((view (view-named name)))
    (if (not view)
        (raise-user-error "there is no view `" name "`" (did-you-mean name (view-definitions))))
    (say name "  " (view->text view))))

(define (show-views)
  (if (null? (view-definitions))
      (say "no views; `view NAME DESCRIPTION` defines one, and `help view` tells how")
      (columns (map (lambda (name)
                      (list name (with-exception-catcher
                                  exception->text
                                  (lambda () (view->text (view-named name))))))
                    (view-definitions)))))

(define-command (view #!optional (name name #f) (description line #f))
  "Defines how memory is shown. A symbol NAME of the program is shown by DESCRIPTION from now on, and other views \
may call it by NAME; without DESCRIPTION it shows what is defined. DESCRIPTION: u8 u16 u32 u64 s8 ... f64 char bool \
address string, (string 16), (bytes 16), (hex u32), (enum u8 (red 0) (green 1)), (bits u16 (ready 1) (mode 3)), \
(pointer VIEW), (array COUNT VIEW), (record (name VIEW) ...), (union FIELD (WHEN VIEW) ...), (list NEXT VIEW), \
(big VIEW), or a name. Then print NAME, print NAME.field, print r5:NAME[2].field, examine 0x20000 3 NAME and \
set NAME.field 5 use it. debugger/README.md tells the rest."
  group: looking repeat: #f
  (cond ((not name) (show-views))
        ((not description) (show-view-named name))
        (else (define-view! name (text->view description)))))

;; ---- display ---------------------------------------------------------------------------------------

(define (show-displayed entry)
  (call-with-error-lines (lambda () (for-each say (displayed-lines entry)))))

(define (show-all) (for-each show-displayed (reverse (session-displayed (the-session)))))

(at-each-stop! show-all)

(define-command (display #!optional (expression value #f) (format format-name #f))
  "Shows a value at each stop. EXPRESSION and FORMAT are those of print; without them it shows all that it shows. \
undisplay ends it."
  group: looking repeat: #f
  (let ((session (the-session)))
    (if expression
        (let ((entry (list (new-id!) expression format)))
          (session-displayed-set! session (cons entry (session-displayed session)))
          (if (session-machine session) (show-displayed entry)))
        (show-all))))

(define-command (undisplay #!optional (number count #f))
  "Ends what display began. NUMBER is its number; without, all of them."
  group: looking repeat: #f
  (let ((session (the-session)))
    (if (and number (not (assv number (session-displayed session))))
        (raise-user-error "there is no display " number))
    (session-displayed-set! session
                            (if number
                                (remove (lambda (entry) (eqv? (car entry) number)) (session-displayed session))
                                '()))))
