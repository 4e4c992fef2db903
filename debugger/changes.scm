;; Which registers changed since the program stopped before: what a person looks for first.
;;
;;   (note-registers!)               at each stop that a person sees
;;   (register-changed? "r3")        whether its value is another than at the stop before that
;;
;; Registers are compared by their names in the innermost activation, which is how they are shown.

(module debugger/changes)
(use scheme-lib/util)
(use debugger/session)
(use debugger/target)

;; session -> (registers at the stop before . registers at the last stop), each ((name . value) …) without zeros
(define notes (make-table test: eq? weak-keys: #t))

(define thread-register-names (map (lambda (n) (text "t" n)) (iota 16)))

(define (registers-now)
  (append (map (lambda (register) (cons (text "r" (car register)) (cdr register))) (target-registers))
          (filter-map (lambda (name) (let ((value (target-register name))) (and (not (= value 0)) (cons name value))))
                      thread-register-names)))

(define (note-registers!)
  (let ((level (session-level (the-session))) (before (table-ref notes (the-session) #f)))
    (session-level-set! (the-session) 0)
    (let ((now (registers-now)))
      (session-level-set! (the-session) level)
      (table-set! notes (the-session) (cons (if before (cdr before) '()) now)))))

(define (value-in registers name) (let ((entry (assoc name registers))) (if entry (cdr entry) 0)))

(define (before) (car (table-ref notes (the-session) '(()))))

(define (comparable?) (and (table-ref notes (the-session) #f) (= 0 (session-level (the-session)))))

(define (register-changed? name)
  (and (comparable?) (not (= (value-in (before) name) (target-register name)))))

;; The names of those that changed, also to 0.
(define (changed-registers)
  (if (comparable?)
      (filter register-changed? (delete-duplicates (map car (append (before) (registers-now)))))
      '()))
