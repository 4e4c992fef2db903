;; The debugger's state: one machine, the program in it, and what the person at the prompt did so far.
;;
;; Commands work on (current-session); the procedures behind them take what they need from it, so that a
;; test or a script can hold several sessions side by side:
;;
;;   (parameterize ((current-session (new-session))) (load-program! "a.s") (run-program!) …)

(module debugger/session)
(use debugger/command)
(use scheme-lib/machine)

(define-type session
  constructor: make-session
  machine      ; #f until a program is loaded
  thread       ; the thread that commands speak of
  program      ; what was loaded, see debugger/program; #f for none
  arguments    ; strings, given to the program behind its name
  breakpoints  ; in the order they were made, watchpoints and catchpoints too, see debugger/breakpoints
  next-id      ; of the next one
  stop         ; why the machine stopped last, see debugger/run; #f before it ran
  level        ; the activation that registers are looked up in: 0 the innermost
  examined     ; where the next examine goes on: (address . format)
  listed       ; where the next disassemble goes on
  fresh        ; a snapshot of the program as it was loaded, from which every run begins
  snapshots    ; name -> (snapshot . stop)
  streams      ; what the program's streams 0, 1 and 2 are bound to, see machine-stream-set!
  timeline     ; the past of the program, see debugger/timeline; #f: none is kept
  timelines    ; this one and the others that can be gone to, the oldest first
  displayed)   ; what is shown at each stop: ((number expression format) …), the newest first

(define (new-session) (make-session #f 0 #f '() '() 1 #f 0 #f #f #f '() '(input output error) #f '() '()))

(define current-session (make-parameter (new-session)))

(define (the-session) (current-session))

(define (the-program)
  (or (session-program (the-session))
      (raise-user-error "no program is loaded; load FILE loads one")))

(define (the-machine)
  (or (session-machine (the-session))
      (raise-user-error "no program is loaded; load FILE loads one")))

;; Binds the program's streams, now and of what is loaded later: a list of three.
(define (session-connect! streams)
  (let* ((session (the-session)) (machine (session-machine session)))
    (session-streams-set! session streams)
    (if machine (for-each (lambda (stream what) (machine-stream-set! machine stream what)) '(0 1 2) streams))))

(define (new-id!)
  (let* ((session (the-session)) (id (session-next-id session)))
    (session-next-id-set! session (+ id 1))
    id))
