;; A mode in which no line is a command or Scheme: each goes to a procedure, until that leaves the mode.
;;
;;   (enter-line-mode! "simple-vm" (lambda (line) (if (string=? line "!quit") (leave-line-mode!) …)))

(module debugger/line-mode)

(define-type line-mode
  constructor: make-line-mode
  name      ; what the prompt shows
  do        ; gets the line; mistakes are raised
  complete) ; gets what is before a word, and how that begins; gives what it could become

(define current #f)

;; The mode, or #f.
(define (line-mode) current)

(define (enter-line-mode! name do #!optional (complete (lambda (before beginning) '())))
  (set! current (make-line-mode name do complete)))
(define (leave-line-mode!) (set! current #f))
