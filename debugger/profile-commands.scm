;; Commands that tell where instructions went: profile, annotate, flame-graph, heat-map. What they look at is
;; (profile) of debugger/profiles.

(module debugger/profile-commands)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/profile)
(use scheme-lib/flame-graph)
(use scheme-lib/heat-map)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/lines)
(use debugger/value)
(use debugger/time-commands)
(use debugger/profiles)
(use debugger/show)

(define (profile-between from to)
  (profile (and from (word->count from)) (and to (word->count to))))

;; ---- tables ------------------------------------------------------------------------------------------

(define shown-rows 10)

(define (number-cell n) (string-pad-left (grouped n) 15))
(define (share-cell part whole) (string-pad-left (share-text part whole) 7))

;; The first entries, as rows under a title, whose share would not be shown as nothing.
(define (show-rows title entries count whole entry->text)
  (let ((worth-it (filter (lambda (entry) (>= (* 2000 (count entry)) whole)) (take-at-most entries shown-rows))))
    (if (pair? worth-it)
        (begin
          (newline)
          (say title)
          (for-each (lambda (entry) (say (entry->text entry))) worth-it)))))

(define (line-text place)
  (let ((source (source-text (list (car place) (cdr place)))))
    (text (car place) ":" (cdr place) (if source (text "  " source) ""))))

(define (instruction-at-text address)
  (let ((instruction (target-instruction address)))
    (text (hex-address address) "  " (if instruction (instruction-text instruction) "?") "  ; " (address-text address))))

(define (head-line profile)
  (text (grouped (profile-instructions profile)) " instructions, "
        (if (profile-sampled? profile) "estimated from samples" "each counted")
        (if (> (profile-lost profile) 0) (text "; " (grouped (profile-lost profile)) " found no room") "")))

;; What a profile says of the session's program.
(define (show-profile profile)
  (let ((machine (the-machine)) (whole (profile-instructions profile)))
    (define (show title entries key->text)
      (show-rows title entries cdr whole
                 (lambda (entry) (text (number-cell (cdr entry)) (share-cell (cdr entry) whole) "  " (key->text (car entry))))))
    (say (head-line profile))
    (show-rows "   instructions  share  with callees  share       calls  symbol"
               (profile-symbols profile machine) share-inclusive whole
               (lambda (share)
                 (text (number-cell (share-self share)) (share-cell (share-self share) whole)
                       (number-cell (share-inclusive share)) (share-cell (share-inclusive share) whole)
                       (string-pad-left (if (= 0 (share-calls share)) "" (grouped (share-calls share))) 12)
                       "  " (share-name share))))
    (show "   instructions  share  source line" (profile-lines profile machine) line-text)
    (show "       executed  share  instruction" (profile-places profile) instruction-at-text)
    (show "       executed  share  opcode" (profile-opcodes profile machine) text)
    (show "       executed  share  opcode behind an opcode" (profile-pairs profile machine)
          (lambda (pair) (text (car pair) ", " (cdr pair))))))

;; ---- files -------------------------------------------------------------------------------------------

(define (program-title)
  (let ((program (session-program (the-session)))) (if program (loaded-name program) "program")))

(define (call-writing path thunk)
  (with-exception-catcher
   (lambda (exception)
     (cond ((no-such-file-or-directory-exception? exception)
            (raise-user-error path " cannot be written: there is no such directory"))
           ((os-exception? exception)
            (raise-user-error path " cannot be written: " (err-code->string (os-exception-code exception))))
           (else (raise exception))))
   thunk))

;; By the end of the file's name: .svg a flame graph, .folded stacks, anything else the text of show-profile.
(define (write-profile path profile)
  (call-writing
   path
   (lambda ()
     (cond ((string-suffix? ".svg" path) (write-flame-graph path (program-title) (profile-stacks profile (the-machine))))
           ((string-suffix? ".folded" path) (write-folded-stacks path (profile-stacks profile (the-machine))))
           (else (write-file-text path (with-captured-output (lambda () (show-profile profile)))))))))

(define (write-program-heat-map path profile)
  (call-writing
   path
   (lambda ()
     (write-heat-map path (program-title) profile
                     (lambda (address) (and (symbol-at address) (address-text address)))))))

;; ---- annotated code ----------------------------------------------------------------------------------

(define (counts-by key entries)
  (let ((table (make-table test: equal?)))
    (for-each (lambda (entry) (table-set! table (key (car entry)) (cdr entry))) entries)
    table))

(define (margin count whole)
  (if (and count (> count 0)) (text (number-cell count) (share-cell count whole)) (make-string 22 #\space)))

;; A source file with how many instructions each line took.
(define (annotate-file file profile)
  (let ((lines (file-lines file)) (whole (profile-instructions profile))
        (counts (counts-by (lambda (place) place) (profile-lines profile (the-machine)))))
    (if (not lines) (raise-user-error file " is not there; annotate SYMBOL shows the instructions"))
    (let ((last (let ((n (vector-length lines)))
                  (if (and (> n 0) (string=? "" (vector-ref lines (- n 1)))) (- n 1) n))))
      (for-each (lambda (n)
                  (say (trimmed-right (text (margin (table-ref counts (cons file (+ n 1)) #f) whole) "  "
                                            (string-pad-left (number->string (+ n 1)) 4) "  " (vector-ref lines n)))))
                (iota last)))))

;; From a symbol to the last instruction that was executed before the next function; source lines and labels stand
;; before what they made.
(define (annotate-code address profile)
  (let* ((machine (the-machine)) (whole (profile-instructions profile)) (places (profile-places profile))
         (counts (counts-by (lambda (address) address) places))
         (called (filter-map (lambda (share) (and (> (share-calls share) 0) (symbol-value (share-name share))))
                             (profile-symbols profile machine)))
         (end (fold (lambda (function end) (if (> function address) (min end function) end)) (expt 2 64) called))
         (last (fold (lambda (place last) (if (and (<= address (car place)) (< (car place) end)) (max last (car place)) last))
                     -1 places)))
    (if (< last 0) (raise-user-error "nothing was executed from " (address-text address) " on"))
    (let loop ((at address) (shown #f))
      (if (<= at last)
          (let* ((instruction (target-instruction at)) (place (line-at at)) (source (and place (source-text place))))
            (for-each (lambda (symbol) (if (= (cdr symbol) at) (say (car symbol) ":"))) (all-symbols))
            (if (and source (not (equal? place shown)))
                (say (text (make-string 22 #\space) "  ; " (place-line place) ": " source)))
            (say (text (margin (table-ref counts at #f) whole) "  " (instruction-line instruction)))
            (loop (+ at (max 1 (instruction-length instruction))) place))))))

(define (hottest-symbol profile)
  (let ((value (symbol-value (share-name (car (profile-symbols profile (the-machine)))))))
    (or value (raise-user-error "the instructions have no symbols; annotate ADDRESS shows those from there on"))))

;; ---- the commands ------------------------------------------------------------------------------------

(define-command (profile #!optional (from moment #f) (to moment #f))
  "Tells where the instructions went. That is of the program so far, or between the counts FROM and TO. The past is run \
again for it, and each instruction counted; of many millions, samples are. Ten rows each: by symbol (there, and with \
what it called), source line, instruction, opcode, and opcode behind an opcode."
  group: profiles
  (the-machine)
  (show-profile (profile-between from to)))

(define-command (annotate #!optional (where word #f) (from moment #f) (to moment #f))
  "Lists code with how often it was executed. WHERE is a symbol or an address, whose instructions are listed, or a source \
file, of which all lines are; without, the symbol with the most instructions. FROM and TO are as for profile."
  group: profiles
  (the-machine)
  (let ((file (and where (find (lambda (file) (same-source? file where)) (source-files)))))
    (if file
        (annotate-file file (profile-between from to))
        (let ((address (and where (word->integer where))) (profile (profile-between from to)))
          (annotate-code (or address (hottest-symbol profile)) profile)))))

(define-command (flame-graph (file file) #!optional (from moment #f) (to moment #f))
  "Draws the calls as a flame graph, for a browser. Each call is as wide as its share of the instructions, on top of its \
caller. A FILE that ends in .folded gets the stacks as text, for other tools. FROM and TO are as for profile."
  group: profiles
  (the-machine)
  (let ((profile (profile-between from to)))
    (write-profile (if (string-suffix? ".folded" file) file (path-with-svg file)) profile)
    (say "wrote " (if (string-suffix? ".folded" file) file (path-with-svg file)) ": " (head-line profile))))

(define (path-with-svg file) (if (string-suffix? ".svg" file) file (string-append file ".svg")))

(define-command (heat-map (file file) #!optional (from moment #f) (to moment #f))
  "Draws how often memory was read, written and executed, for a browser. FROM and TO are as for profile."
  group: profiles
  (the-machine)
  (let ((profile (profile-between from to)) (file (path-with-svg file)))
    (write-program-heat-map file profile)
    (say "wrote " file ": " (head-line profile))))
