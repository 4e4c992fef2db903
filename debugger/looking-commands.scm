;; Commands that show the machine and change nothing: where, up, down, registers, print, examine,
;; disassemble, symbols, info, hash.

(module debugger/looking-commands)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/disassembly)
(use debugger/value)
(use debugger/run)
(use debugger/examine)
(use debugger/changes)
(use debugger/show)

;; ---- activations -----------------------------------------------------------------------------------

(define activations-shown 20)

(define (activation-row level activation)
  (let* ((address (activation-address level))
         (function (vector-ref activation 0))
         (symbol (symbol-at address)))
    (list (text (if (= level (session-level (the-session))) "=> " "   ") level)
          (where-text address)
          (if (and symbol (= (cdr symbol) function)) "" (text "in " (address-text function))))))

(define-command (where)
  "Lists the activations, the innermost first. Each with where it stands, and, where the symbols do not tell, \
the function that it runs."
  aliases: (backtrace bt) group: looking
  (let* ((depth (target-depth)) (shown (target-activations activations-shown)))
    (columns (map activation-row (iota (length shown)) shown))
    (if (> depth (length shown)) (say "   and " (grouped (- depth (length shown))) " more"))))

(define (select-level! level)
  (let ((depth (target-depth)))
    (cond ((< level 0) (raise-user-error "this is the innermost activation already"))
          ((>= level depth) (raise-user-error "this is the outermost activation already"))
          (else
           (session-level-set! (the-session) level)
           (session-listed-set! (the-session) #f)
           (say "activation " level ": " (where-text (current-address)))
           (show-here)))))

(define-command (up #!optional (count count 1))
  "Selects the caller of the selected activation. Or the one COUNT calls up; registers are then looked up there."
  group: looking
  (the-machine)
  (select-level! (+ (session-level (the-session)) count)))

(define-command (down #!optional (count count 1))
  "Selects the activation that the selected one called. Or the one COUNT calls down."
  group: looking
  (the-machine)
  (select-level! (- (session-level (the-session)) count)))

;; ---- values ----------------------------------------------------------------------------------------

;; Its name and value; one that changed since the stop before is styled so.
(define (register-row name)
  (let ((value (value-text (target-register name))))
    (list name (if (register-changed? name) ((show-style) 'changed value) value))))

(define-command (registers #!rest (names register))
  "Shows registers. Those of the selected activation that are not 0, or those that are named; at a terminal, what \
changed since the stop before stands out."
  aliases: (regs) group: looking
  (if (null? names)
      (begin
        (columns (list (list "pc" (hex-address (current-address)) (address-text (current-address)))))
        (columns (map (lambda (register) (register-row (text "r" (car register)))) (target-registers)))
        (columns (filter-map (lambda (index)
                               (let ((name (text "t" index)))
                                 (and (not (= (target-register name) 0)) (register-row name))))
                             (iota 16))))
      (columns (map register-row names))))

(define-command (print (expression value) #!optional (format format-name #f))
  "Shows a value. EXPRESSION is a register, a symbol, a number, [ADDRESS] for the 8 bytes there, or a Scheme \
form in which registers and symbols stand for their values. FORMAT: hex, decimal, unsigned, octal, binary, f64, f32, \
char; or a view, by name or as a form: print r5 node. A symbol that has a view is shown by it, and so are its parts: \
print list.next.value; `help view` tells more."
  aliases: (p) group: looking
  (for-each say (expression-lines expression format)))

(define-command (examine #!optional (where value #f) (how how #f) (more how #f))
  "Shows memory from WHERE on. HOW and MORE are how many units, and a format: bytes (with text), half, word, quad, \
decimal, f32, f64, string, address, instructions; or a view: examine table 3 node. Without arguments it goes on where \
it stopped."
  aliases: (x) group: looking repeat: "examine"
  (the-machine)
  (let ((count (find integer? (list how more)))
        (format (find (lambda (given) (and given (not (integer? given)))) (list how more))))
    (if (and how more (not (and count format)))
        (raise-user-error "examine takes one count and one format"))
    (examine! where count format)))

(define-command (disassemble #!optional (where value #f) (count count 12))
  "Shows instructions. COUNT of them from WHERE on, or around the present one, which => marks; * marks a \
breakpoint. Again \
without arguments it goes on where it stopped."
  aliases: (dis) group: looking repeat: "disassemble"
  (the-machine)
  (let* ((session (the-session))
         (start (cond (where (word->integer where))
                      ((session-listed session))
                      (else (instructions-before (current-address) 3)))))
    (session-listed-set! session (show-instructions start count))))

(define-command (symbols #!optional (part name ""))
  "Lists symbols by address. All of them, or those whose name holds PART."
  group: looking
  (let ((symbols (filter (lambda (symbol) (string-contains (car symbol) part)) (all-symbols))))
    (if (null? symbols)
        (say (if (string=? part "") "no symbols" (text "no symbol's name holds `" part "`")))
        (columns (map (lambda (symbol) (list (hex-address (cdr symbol)) (car symbol))) symbols)))))

;; ---- info ------------------------------------------------------------------------------------------

(define (show-regions)
  (columns
   (cons '("address" "end" "length" "access")
         (map (lambda (region)
                (let ((address (car region)) (length (cadr region)))
                  (list (hex-address address) (hex-address (+ address length)) (grouped length)
                        (text (caddr region)
                              (let ((symbol (find (lambda (symbol) (and (<= address (cdr symbol)) (< (cdr symbol) (+ address length))))
                                                  (all-symbols))))
                                (if symbol (text "   " (car symbol) " ...") ""))))))
              (target-regions)))))

(define (show-thread)
  (columns (list (list "thread" (text (session-thread (the-session))))
                 (list "space" (text (target-space)))
                 (list "pc" (where-text (target-pc)))
                 (list "instructions" (grouped (target-count)))
                 (list "activations" (grouped (target-depth))))))

(define (show-program)
  (columns (append
            (let ((program (session-program (the-session))))
              (if program
                  (list (list "program" (loaded-path program))
                        (list "entry" (where-text (loaded-entry program))))
                  '()))
            (list (list "state" (let ((pause (session-stop (the-session))))
                                  (or (and pause (pause-line pause))
                                      (text "at " (where-text (target-pc))))))))))

;; A user adds a row.
(define subjects
  (list (cons "program" show-program) (cons "regions" show-regions) (cons "threads" show-thread)
        (cons "symbols" (lambda () (run-command "symbols"))) (cons "breakpoints" (lambda () (run-command "breakpoints")))
        (cons "registers" (lambda () (run-command "registers")))))

(define (add-subject! name show) (set! subjects (append subjects (list (cons name show)))))

(define-argument-kind subject "a subject"
  (lambda (word)
    (let ((row (assoc word subjects)))
      (if row
          (cdr row)
          (raise-user-error "info knows nothing of `" word "`" (did-you-mean word (map car subjects))
                            "; its subjects: " (string-join (map car subjects) ", ")))))
  (lambda (beginning) (filter (lambda (name) (string-prefix? beginning name)) (map car subjects))))

(define-command (info #!optional (subject subject #f))
  "Shows facts. info program, regions, threads, symbols, breakpoints, registers, timeline."
  aliases: (i) group: looking
  (the-machine)
  ((or subject show-program)))

(define-command (hash)
  "Shows a hash of the machine's whole state. Equal states have equal hashes, on every host."
  group: looking
  (say (machine-hash (the-machine))))
