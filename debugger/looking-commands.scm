;; Commands that show the machine and change nothing: where, up, down, registers, print, examine,
;; disassemble, search, references, symbols, info, hash; thread, which chooses what they show.

(module debugger/looking-commands)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/disassembly)
(use debugger/value)
(use debugger/code)
(use debugger/timeline)
(use debugger/run)
(use debugger/examine)
(use debugger/views)
(use debugger/changes)
(use debugger/guest)
(use debugger/show)

;; ---- activations -----------------------------------------------------------------------------------

(define activations-shown 20)

;; A row, and one for each macro that made the code there, the outermost first.
(define (activation-rows level activation)
  (cons (activation-row level activation)
        (map (lambda (macro) (list "" (text "  in " macro))) (macro-texts (activation-address level)))))

(define (activation-row level activation)
  (let* ((address (activation-address level))
         (function (vector-ref activation 0))
         (symbol (symbol-at address)))
    (list (text (if (= level (session-level (the-session))) "=> " "   ") level)
          (where-text address)
          (if (and symbol (= (cdr symbol) function)) "" (text "in " (address-text function))))))

(define-command (where)
  "Lists the activations, the innermost first. Each with where it stands, where in the macros that made the code \
there, and, where the symbols do not tell, the function that it runs."
  aliases: (backtrace bt) group: looking
  (let* ((depth (target-depth)) (shown (target-activations activations-shown)))
    (columns (append-map activation-rows (iota (length shown)) shown))
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

(define (local-lines variable)
  (let ((name (symbol->string (car variable))))
    (if (cddr variable)
        (with-exception-catcher
         (lambda (exception) (list (text name " = <" (exception->text exception) ">")))
         (lambda () (expression-lines name #f)))
        (list (text name " has no value here")))))

(define-command (locals)
  "Shows the variables of the selected activation's function that are in scope, by name. The program's image has to tell \
of them, as that of a C program compiled with -g does; print NAME shows one, set NAME changes it."
  group: looking
  (the-machine)
  (let ((variables (local-variables)))
    (cond ((not variables)
           (raise-user-error "nothing is known of variables in " (address-text (current-address))
                             "; a C program tells of them when it is compiled with -g"))
          ((null? variables) (say "no variables here"))
          (else (for-each say (append-map local-lines variables))))))

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

;; ---- searching -------------------------------------------------------------------------------------

(define searched-limit 20)

;; What is looked for: a text, or the bytes of a number, as few as hold it unless a size is given.
(define (bytes-of what size)
  (if (char=? (string-ref what 0) #\")
      (string->utf8 (word->value what))
      (let ((number (word->integer what)))
        (number->u8vector number (or size (find (lambda (size) (< number (expt 256 size))) '(1 2 4 8)))))))

(define (show-places addresses what)
  (if (null? addresses) (say "nowhere: " what))
  (columns (map (lambda (address) (list (hex-address address) (where-text address)))
                (take-at-most addresses searched-limit)))
  (if (> (length addresses) searched-limit) (say "and more")))

(define-command (search (what value) #!optional (size count #f) (from place 0))
  "Looks for bytes in memory. WHAT is a text in quotes or a number, of SIZE bytes, or as many of 1, 2, 4, 8 as \
hold it; FROM is where to begin: search \"hello\", search 0x20010 8."
  group: looking
  (the-machine)
  (if (and size (not (<= 1 size 8))) (raise-user-error "a number has 1 to 8 bytes, not " size))
  (let ((bytes (bytes-of what size)))
    (if (= 0 (u8vector-length bytes)) (raise-user-error "an empty text is everywhere"))
    (show-places (search-bytes bytes from (+ searched-limit 1)) what)))

(define-command (references (where place))
  "Looks for what names an address. That is instructions that jump to it, call it or make its value, and words of \
8 bytes that hold it, in memory that is not executed: references main."
  aliases: (refs) group: looking
  (the-machine)
  (let ((executed? (lambda (address)
                     (any (lambda (region)
                            (and (string-contains (caddr region) "x") (<= (car region) address)
                                 (< address (+ (car region) (cadr region)))))
                          (target-regions)))))
    (show-places (append (instructions-naming where)
                         (remove executed? (search-bytes (number->u8vector where 8) 0 (+ searched-limit 1))))
                 (address-text where))))

(define-command (thread #!optional (number count #f))
  "Chooses the thread that commands speak of. Without a NUMBER it lists them. All run in turns; step and the like wait for \
this one's."
  group: looking
  (the-machine)
  (cond ((not number) (show-threads))
        ((memv number (machine-threads (the-machine)))
         (session-thread-set! (the-session) number)
         (session-level-set! (the-session) 0)
         (show-here))
        (else (raise-user-error "there is no thread " number "; `info threads` lists them"))))

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

(define (show-threads)
  (columns
   (cons '("thread" "space" "instructions" "activations" "stands" "pc")
         (map (lambda (thread)
                (list (text (if (= thread (session-thread (the-session))) "=> " "   ") thread)
                      (text (machine-thread-space (the-machine) thread))
                      (grouped (machine-count (the-machine) thread))
                      (grouped (machine-depth (the-machine) thread))
                      (standing-text thread)
                      (where-text (machine-pc (the-machine) thread))))
              (machine-threads (the-machine))))))

;; What the selected activation is: its function, its caller, its place on the register stack.
(define (show-activation)
  (let* ((level (session-level (the-session)))
         (activation (target-activation level))
         (caller (and (< (+ level 1) (target-depth)) (activation-address (+ level 1)))))
    (columns
     (list (list "activation" (text level " of " (target-depth)))
           (list "function" (where-text (vector-ref activation 0)))
           (list "at" (where-text (activation-address level)))
           (list "called by" (if caller (where-text caller) "nobody"))
           (list "window" (text "from register " (grouped (vector-ref activation 2)) " of the stack on"))))
    (run-command "registers")))

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

;; What the machine does beside the program.
(define (show-statistics)
  (let* ((statistics (machine-statistics (the-machine))) (fact (lambda (name) (grouped (assq-value name statistics)))))
    (columns
     (list (list "decoded" (text (fact 'decoded-instructions) " instructions"))
           (list "memory" (text (fact 'decoded-bytes) " bytes of at most " (fact 'decoded-limit)))
           (list "dropped" (text (fact 'decoded-drops) " times"))))))

;; Where the guest stands, and its registers that are not 0.
(define (show-guest-machine)
  (let ((rows (or (guest-register-rows) (raise-user-error "this program was made for no other machine")))
        (place (guest-place (current-address))))
    (columns (cons (list "pc" (or place "outside the program"))
                   (filter-map (lambda (row) (and (not (member (cdr row) '("0" "0."))) (list (car row) (cdr row)))) rows)))))

;; A user adds a row.
(define subjects
  (list (cons "program" show-program) (cons "regions" show-regions) (cons "threads" show-threads) (cons "activation" show-activation)
        (cons "symbols" (lambda () (run-command "symbols"))) (cons "breakpoints" (lambda () (run-command "breakpoints")))
        (cons "registers" (lambda () (run-command "registers"))) (cons "statistics" show-statistics)
        (cons "guest" show-guest-machine)))

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
  "Shows facts. info program, regions, threads, activation, symbols, breakpoints, registers, statistics, timeline; and \
guest, the machine that the program was made for."
  aliases: (i) group: looking
  (the-machine)
  ((or subject show-program)))

(define-command (hash)
  "Shows a hash of the machine's whole state. Equal states have equal hashes, on every host."
  group: looking
  (say (machine-hash (the-machine))))
