;; Commands: break, watch, breakpoints, delete.

(module debugger/stopping-commands)
(use scheme-lib/util)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/value)
(use debugger/breakpoints)
(use debugger/show)

(define-command (break #!optional (where value #f))
  "Sets a breakpoint. The program stops before it executes the instruction at WHERE, a symbol, an address or \
a Scheme expression, or the present one: break main, break loop+8, break 0x10010, break (+ table 16)."
  aliases: (b) group: stopping
  (the-machine)
  (let ((address (if where (word->integer where) (current-address))))
    (if (not (target-instruction address))
        (raise-user-error "nothing is mapped at " (hex-address address)
                          ", so no instruction can be there; `info regions` lists what is mapped"))
    (let ((breakpoint (breakpoint-add! address (or where (address-text address)))))
      (say "breakpoint " (breakpoint-id breakpoint) " at " (where-text address)))))

(define accesses '(("read" . read) ("write" . write) ("both" . both)))

(define-argument-kind access "read, write or both"
  (lambda (word)
    (let ((access (assoc word accesses)))
      (if access (cdr access) (raise-user-error "`" word "` is no access: it is read, write or both"))))
  (lambda (beginning) (filter (lambda (name) (string-prefix? beginning name)) (map car accesses))))

(define-command (watch (where value) #!optional (length count 8) (access access 'write))
  "Sets a watchpoint. The program stops behind an instruction that writes or reads any of LENGTH bytes (8) \
from WHERE on. ACCESS is write unless given, or read, or both: watch counter, watch table 64 both."
  group: stopping
  (the-machine)
  (if (= length 0) (raise-user-error "a watched range has at least one byte"))
  (let ((watchpoint (watchpoint-add! (word->integer where) length access where)))
    (say "watchpoint " (watchpoint-id watchpoint) ": " length " byte" (if (= length 1) "" "s") " at "
         (address-text (watchpoint-address watchpoint)) ", " access)))

(define-command (breakpoints)
  "Lists breakpoints and watchpoints."
  group: stopping
  (let ((breakpoints (session-breakpoints (the-session))) (watchpoints (session-watchpoints (the-session))))
    (if (and (null? breakpoints) (null? watchpoints))
        (say "no breakpoints")
        (columns
         (append
          (list '("" "kind" "address" "place"))
          (map (lambda (each)
                 (list (number->string (breakpoint-id each)) "break" (hex-address (breakpoint-address each))
                       (text (where-text (breakpoint-address each)) (hits (breakpoint-hits each)))))
               breakpoints)
          (map (lambda (each)
                 (list (number->string (watchpoint-id each)) (text "watch " (watchpoint-access each))
                       (hex-address (watchpoint-address each))
                       (text (watchpoint-where each) ", " (watchpoint-length each) " bytes" (hits (watchpoint-hits each)))))
               watchpoints))))))

(define (hits n) (cond ((= n 0) "") ((= n 1) ", hit once") (else (text ", hit " n " times"))))

(define-command (delete #!rest (ids count))
  "Deletes breakpoints and watchpoints. IDS are their numbers; without any, all go."
  aliases: (d) group: stopping repeat: #f
  (if (null? ids) (stopping-places-clear!) (for-each stopping-place-remove! ids)))
