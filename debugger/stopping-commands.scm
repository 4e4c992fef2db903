;; Commands: break, tbreak, log, watch, catch, condition, ignore, commands, enable, disable, breakpoints, delete.

(module debugger/stopping-commands)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/value)
(use debugger/views)
(use debugger/breakpoints)
(use debugger/show)

;; ---- breakpoints -----------------------------------------------------------------------------------

;; What stands behind a place: nothing, or `if CONDITION`.
(define (condition-of words)
  (cond ((null? words) #f)
        ((and (string=? (car words) "if") (= 2 (length words))) (cadr words))
        (else (raise-user-error "`" (string-join words " ") "` is no condition, which is written: if (> r5 10)"))))

(define (instruction-address-of where)
  (let ((address (word->integer where)))
    (if (target-instruction address)
        address
        (raise-user-error "nothing is mapped at " (hex-address address)
                          ", so no instruction can be there; `info regions` lists what is mapped"))))

(define (pattern? where)
  (and (not (memv (string-ref where 0) '(#\( #\[ #\")))
       (or (string-index where #\*) (string-index where #\?))
       #t))

;; Whether a name is what a pattern with * and ? says.
(define (matches? pattern name)
  (let match ((p (string->list pattern)) (n (string->list name)))
    (cond ((null? p) (null? n))
          ((char=? (car p) #\*) (or (match (cdr p) n) (and (pair? n) (match p (cdr n)))))
          ((null? n) #f)
          (else (and (or (char=? (car p) #\?) (char=? (car p) (car n))) (match (cdr p) (cdr n)))))))

(define (executable? address)
  (any (lambda (region)
         (and (<= (car region) address) (< address (+ (car region) (cadr region))) (string-contains (caddr region) "x")))
       (target-regions)))

(define (names-matching pattern)
  (let ((names (filter-map (lambda (symbol) (and (matches? pattern (car symbol)) (executable? (cdr symbol)) (car symbol)))
                           (all-symbols))))
    (if (null? names) (raise-user-error "no symbol of the code is like `" pattern "`"))
    names))

(define (announce breakpoint)
  (say (if (breakpoint-temporary? breakpoint) "temporary " "") "breakpoint " (breakpoint-id breakpoint) " at "
       (where-text (breakpoint-address breakpoint))
       (if (breakpoint-condition breakpoint) (text ", if " (breakpoint-condition breakpoint)) "")
       (if (breakpoint-message breakpoint) ", logs" "")))

(define (break! where condition temporary? message)
  (announce
   (or (and (not condition) (not temporary?) (not message)
            (let ((there (breakpoint-at (instruction-address-of where))))
              (and there (not (breakpoint-condition there)) (not (breakpoint-temporary? there))
                   (not (breakpoint-message there)) there)))
       (add-breakpoint! 'break where (lambda () (instruction-address-of where))
                        condition: condition temporary?: temporary? message: message))))

(define (break-all! where condition temporary? message)
  (the-machine)
  (cond ((not where)
         (break! (let ((address (current-address))) (if (symbol-at address) (address-text address) (number->hex address)))
                 condition temporary? message))
        ((pattern? where) (for-each (lambda (name) (break! name condition temporary? message)) (names-matching where)))
        (else (break! where condition temporary? message))))

(define-command (break #!optional (where value #f) #!rest (condition word))
  "Sets a breakpoint. The program stops before it executes the instruction at WHERE, a symbol, an address, \
FILE:LINE, a pattern of symbols (fact*) or a Scheme expression, or the present one; behind `if`, only where \
CONDITION holds: break main, break loop+8, break sieve.s:12, break (+ table 16), break fib if (> r1 10)."
  aliases: (b) group: stopping
  (break-all! where (condition-of condition) #f #f))

(define-command (tbreak #!optional (where value #f) #!rest (condition word))
  "Sets a breakpoint that goes when it is hit. WHERE and CONDITION are as for break."
  aliases: (tb) group: stopping
  (break-all! where (condition-of condition) #t #f))

(define-command (log (where value) (message line))
  "Writes a line whenever the program is at WHERE, and does not stop. In MESSAGE what stands in braces is \
replaced by its value: log fib n is {r1}."
  aliases: (dprintf) group: stopping
  (break-all! where #f #f message))

;; ---- watchpoints -----------------------------------------------------------------------------------

(define accesses '(("read" . read) ("write" . write) ("both" . both) ("change" . change)))

(define-argument-kind access "read, write, both or change"
  (lambda (word)
    (let ((access (assoc word accesses)))
      (if access (cdr access) (raise-user-error "`" word "` is no access: it is read, write, both or change"))))
  (lambda (beginning) (filter (lambda (name) (string-prefix? beginning name)) (map car accesses))))

(define (register-number-in where) (string->number (substring where 1 (string-length where))))

(define (watch-register! where access)
  (if (string=? where "pc") (raise-user-error "the pc changes with every instruction; `watch (= pc ADDRESS)` waits for one"))
  (if (memq access '(read both)) (raise-user-error "of a register, writes and changes can be watched, not reads"))
  (if (string=? where "r0") (raise-user-error "r0 is never written: it is always 0"))
  (let* ((thread-register? (char=? (string-ref where 0) #\t))
         (watchpoint
          (add-breakpoint! (if thread-register? 'thread-register 'register) where
                           (lambda () (+ (register-number-in where) (if thread-register? 0 (selected-window))))
                           access: access)))
    (say "watchpoint " (breakpoint-id watchpoint) ": " where
         (if thread-register? "" (text " of " (address-text (vector-ref (target-activation (session-level (the-session))) 0))))
         ", " access)))

(define (selected-window) (vector-ref (target-activation (session-level (the-session))) 2))

(define (condition? where)
  (and (char=? (string-ref where 0) #\()
       (boolean? (word->value where))))

(define (watch-condition! where)
  (let ((watchpoint (add-breakpoint! 'condition where (lambda () #f) condition: where)))
    (say "watchpoint " (breakpoint-id watchpoint) ": when " where " comes to hold"
         (if (condition-registers where) "" "; looked at after each instruction"))))

;; A range of memory; viewed: its address and length where it is a variable or the place of a view, else #f.
(define (watch-memory! where viewed length access)
  (let ((length (or length (and viewed (cdr viewed)) 8)))
    (if (= length 0) (raise-user-error "a watched range has at least one byte"))
    (let ((watchpoint (add-breakpoint! 'watch where
                                       (lambda ()
                                         (let ((viewed (word->location-of-view where word->integer)))
                                           (if (pair? viewed) (car viewed) (word->integer where))))
                                       length: length access: access)))
      (say "watchpoint " (breakpoint-id watchpoint) ": " length " byte" (if (= length 1) "" "s") " at "
           (if viewed where (address-text (breakpoint-address watchpoint))) ", " access))))

(define-command (watch (where value) #!optional (length count #f) (access access 'write))
  "Sets a watchpoint. The program stops behind an instruction that touches any of LENGTH bytes from WHERE on (those of \
its view, or 8), or that writes a register, or after which a condition comes to hold. ACCESS is write unless given, or \
read, both or change: watch counter, watch table 64 both, watch r5, watch (> r5 10). A variable of a function is \
watched where it is now."
  group: stopping
  (the-machine)
  (cond ((register-word? where) (watch-register! where access))
        ((condition? where) (watch-condition! where))
        (else
         (let ((viewed (word->location-of-view where word->integer)))
           (if (string? viewed)
               (watch-register! viewed access)
               (watch-memory! where viewed length access))))))

;; ---- catchpoints -----------------------------------------------------------------------------------

(define catchable '(("call" . call) ("return" . return) ("host-call" . host-call) ("trap" . trap)))

(define-argument-kind catchable "call, return, host-call or trap"
  (lambda (word)
    (let ((row (assoc word catchable)))
      (if row (cdr row) (raise-user-error "`" word "` cannot be caught: call, return, host-call and trap can"))))
  (lambda (beginning) (filter (lambda (name) (string-prefix? beginning name)) (map car catchable))))

(define (trap-kind name)
  (let ((names (map symbol->string machine-trap-kinds)))
    (if (not (member name names))
        (raise-user-error "no trap is called `" name "`" (did-you-mean name names) "; there are: "
                          (string-join names ", ")))
    (string->symbol name)))

(define (catch-place kind what)
  (lambda ()
    (case kind
      ((host-call)
       (and what
            (or (machine-host-call-number (the-machine) what)
                (raise-user-error "the program makes no host call `" what "`"))))
      ((trap) (and what (trap-kind what)))
      (else (and what (word->integer what))))))

(define-command (catch (kind catchable) #!optional (what word #f))
  "Sets a catchpoint. The program stops behind a call or return (of the function WHAT), behind a host call (called \
WHAT), or at a trap (of the kind WHAT, such as divide), which stops programs anyhow, so that it can have commands: \
catch call fib, catch host-call write."
  group: stopping
  (the-machine)
  (let ((catchpoint (add-breakpoint! kind (text kind (if what (text " " what) "")) (catch-place kind what))))
    (say "catchpoint " (breakpoint-id catchpoint) ": " (breakpoint-where catchpoint))))

;; ---- what one can say of them ----------------------------------------------------------------------

(define-command (condition (id count) #!optional (condition value #f))
  "Makes a breakpoint, watchpoint or catchpoint stop only where CONDITION holds. ID is its number; without a \
CONDITION it stops always."
  group: stopping repeat: #f
  (let ((breakpoint (breakpoint-with-id id)))
    (if (eq? (breakpoint-kind breakpoint) 'condition)
        (raise-user-error "watchpoint " id " is a condition itself; delete it and watch another"))
    (breakpoint-condition-set-text! breakpoint condition)
    (say "breakpoint " id " stops " (if condition (text "if " condition) "always"))))

(define-command (ignore (id count) (times count))
  "Lets a breakpoint be hit TIMES times without stopping. ID is its number."
  group: stopping repeat: #f
  (breakpoint-ignore-set! (breakpoint-with-id id) times)
  (say "breakpoint " id " does not stop the next " (if (= times 1) "time" (text times " times"))))

(define-command (commands (id count) #!rest (lines string))
  "Gives a breakpoint commands that are done when it stops. LINES are in quotes; without any it has none: \
commands 1 \"registers\" \"continue\"."
  group: stopping repeat: #f
  (for-each (lambda (line)
              (if (blank-string? line) (raise-user-error "an empty line is no command"))
              (command-or-error (car (string-split (string-trim line) #\space))))
            lines)
  (breakpoint-actions-set! (breakpoint-with-id id) lines))

(define (chosen ids)
  (if (null? ids) (session-breakpoints (the-session)) (map breakpoint-with-id ids)))

(define-command (enable #!rest (ids count))
  "Lets breakpoints, watchpoints and catchpoints stop the program again. IDS are their numbers; without any, all."
  group: stopping repeat: #f
  (for-each breakpoint-enable! (chosen ids)))

(define-command (disable #!rest (ids count))
  "Keeps breakpoints, watchpoints and catchpoints, but lets them not stop the program. IDS are their numbers; \
without any, all."
  group: stopping repeat: #f
  (for-each breakpoint-disable! (chosen ids)))

(define-command (delete #!rest (ids count))
  "Deletes breakpoints, watchpoints and catchpoints. IDS are their numbers; without any, all go."
  aliases: (d) group: stopping repeat: #f
  (for-each breakpoint-remove! (chosen ids)))

;; ---- the list --------------------------------------------------------------------------------------

(define (kind-text breakpoint)
  (case (breakpoint-kind breakpoint)
    ((break) (cond ((breakpoint-message breakpoint) "log") ((breakpoint-temporary? breakpoint) "tbreak") (else "break")))
    ((watch register thread-register) (text "watch " (breakpoint-access breakpoint)))
    ((condition) "watch")
    (else "catch")))

(define (place-text breakpoint)
  (case (breakpoint-kind breakpoint)
    ((break) (where-text (breakpoint-address breakpoint)))
    ((watch) (text (breakpoint-where breakpoint) ", " (breakpoint-length breakpoint) " bytes"))
    (else (breakpoint-where breakpoint))))

(define (remarks breakpoint)
  (let ((hits (breakpoint-hits breakpoint)) (ignore (breakpoint-ignore breakpoint)))
    (text (if (and (breakpoint-condition breakpoint) (not (eq? (breakpoint-kind breakpoint) 'condition)))
              (text ", if " (breakpoint-condition breakpoint))
              "")
          (if (breakpoint-message breakpoint) (text ", " (written (breakpoint-message breakpoint))) "")
          (cond ((= hits 0) "") ((= hits 1) ", hit once") (else (text ", hit " hits " times")))
          (if (= ignore 0) "" (text ", ignored " ignore " times more"))
          (if (breakpoint-enabled? breakpoint) "" ", disabled"))))

(define-command (breakpoints)
  "Lists breakpoints, watchpoints and catchpoints."
  group: stopping
  (let ((all (session-breakpoints (the-session))))
    (if (null? all)
        (say "no breakpoints")
        (columns
         (cons '("" "kind" "address" "place")
               (map (lambda (each)
                      (list (number->string (breakpoint-id each))
                            (kind-text each)
                            (if (memq (breakpoint-kind each) '(break watch)) (hex-address (breakpoint-address each)) "")
                            (text (place-text each) (remarks each))))
                    all))))
    (for-each (lambda (each)
                (for-each (lambda (line) (say "   " (breakpoint-id each) ": " line)) (breakpoint-actions each)))
              all)))
