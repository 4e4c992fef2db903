;; How the debugger writes: numbers, places, instructions, why a program stopped.
;;
;;   (show-pause pause)
;;     breakpoint 1 at main+0x4
;;     sieve.s:12      imm r1 0
;;     => 0x00010004  imm r1, 0

(module debugger/show)
(use scheme-lib/util)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/disassembly)
(use debugger/breakpoints)
(use debugger/run)
(use debugger/changes)
(use debugger/guest)
(use scheme-lib/machine)

;; How a style (current, changed, breakpoint) is shown: a terminal may have other means than text.
(define show-style (make-parameter (lambda (style text) text)))

(define (styled style text) ((show-style) style text))

(define (say . parts) (display (apply text parts)) (newline))

;; Ends the line that a program left unfinished. The first column is 1.
(define (fresh-line)
  (if (> (output-port-column (current-output-port)) 1) (newline)))

(define (trimmed-right string)
  (let ((last (string-index-right string (lambda (c) (not (char=? c #\space))))))
    (if last (substring string 0 (+ last 1)) "")))

;; Rows of texts as lines with aligned columns; the last column is not padded.
(define (columns rows #!optional (gap "  "))
  (let* ((count (fold max 0 (map length rows)))
         (widths (map (lambda (n)
                        (fold max 0 (map (lambda (row) (if (< n (length row)) (string-length (list-ref row n)) 0)) rows)))
                      (iota count))))
    (for-each
     (lambda (row)
       (let loop ((row row) (widths widths) (line ""))
         (cond ((null? row) (say (trimmed-right line)))
               ((null? (cdr row)) (say (trimmed-right (string-append line (car row)))))
               (else (loop (cdr row) (cdr widths)
                           (string-append line (string-pad-right (car row) (car widths)) gap))))))
     rows)))

;; ---- numbers ---------------------------------------------------------------------------------------

;; A register's value for people: decimal, hexadecimal, and the symbol that it may be the address of.
(define (number-text value)
  (let ((signed (s64 value)))
    (if (< -10 signed 10) (number->string signed) (text signed "  " (number->hex value)))))

(define (value-text value)
  (let ((symbol (and (>= value 65536) (mapped? value) (symbol-at value))))
    (if symbol (text (number-text value) "  " (address-text value)) (number-text value))))

(define (mapped? address)
  (= 1 (u8vector-length (target-read-prefix address 1))))

;; ---- places ----------------------------------------------------------------------------------------

;; "main+0x4, sieve.s:12"
(define (where-text address)
  (let ((place (line-at address)))
    (text (address-text address)
          (if place (text ", " (place-file place) ":" (place-line place)) ""))))

;; Where an activation stands: the innermost at the pc, others at the call that they have under way.
(define (activation-address level)
  (if (= level 0) (target-pc) (instructions-before (vector-ref (target-activation level) 1) 1)))

(define (current-address) (activation-address (session-level (the-session))))

;; ---- instructions ----------------------------------------------------------------------------------

;; "0x00010004  jump 0x10010  ; loop"
(define (instruction-line instruction)
  (let* ((target (instruction-target instruction))
         (symbol (and target (symbol-at target))))
    (text (hex-address (instruction-address instruction)) "  " (instruction-text instruction)
          (if symbol (text "  ; " (address-text target)) ""))))

(define (mark address)
  (text (if (breakpoint-at address) (styled 'breakpoint "*") " ")
        (if (= address (current-address)) (text (styled 'current "=>") " ") "   ")))

;; Symbols stand on lines of their own, before what they name; a source line, where it begins.
(define (show-labels address)
  (for-each (lambda (symbol) (if (= (cdr symbol) address) (say (car symbol) ":"))) (all-symbols)))

;; What a translated instruction was, before what it became.
(define (show-guest address)
  (let ((instruction (guest-instruction-at address)))
    (if instruction (say "    " instruction))))

(define (place-key place) (and place (cons (place-file place) (place-line place))))

;; Lists `count` instructions from an address; gives the address behind the last.
(define (show-instructions address count)
  (let loop ((address address) (left count) (shown #f))
    (let ((instruction (and (> left 0) (target-instruction address))))
      (if (not instruction)
          (begin
            (if (= left count) (say "   " (hex-address address) "  (nothing is mapped here)"))
            address)
          (let* ((place (line-at address)) (new? (not (equal? (place-key place) shown))))
            (show-labels address)
            (show-guest address)
            (say (mark address)
                 (trimmed-right
                  (text (string-pad-right* (instruction-line instruction) 40)
                        (if (and place new?) (source-remark place instruction) ""))))
            (loop (u64 (+ address (instruction-length instruction))) (- left 1) (place-key place)))))))

;; What the source line adds to the instruction: its number, and its comment where the rest of it is just
;; the instruction, else all of it.
(define (source-remark place instruction)
  (let* ((source (or (source-text place) ""))
         (comment (string-index source #\;))
         (code (string-trim (if comment (substring source 0 comment) source)))
         (same? (and (instruction-name instruction)
                     (string-contains code (symbol->string (instruction-name instruction))))))
    (text "  ; " (place-line place)
          (cond ((string=? source "") "")
                ((not same?) (text ": " source))
                (comment (text ": " (string-trim (substring source (+ comment 1) (string-length source)))))
                (else "")))))

;; As string-pad-right, but a longer text stays whole.
(define (string-pad-right* string width)
  (if (< (string-length string) width) (string-pad-right string width) string))

;; Lists instructions before and behind an address, and the one there.
(define (show-around address before behind)
  (let count ((at (instructions-before address before)) (n (+ behind 1)))
    (if (< at address)
        (count (+ at (max 1 (instruction-length (target-instruction at)))) (+ n 1))
        (show-instructions (instructions-before address before) n))))

;; ---- stops -----------------------------------------------------------------------------------------

;; "count-to, loops.s:6", for each macro that the source line called for the code at an address, the outermost first.
(define (macro-texts address)
  (map (lambda (expansion) (text (car expansion) ", " (place-file (cdr expansion)) ":" (place-line (cdr expansion))))
       (machine-expansions-at (the-machine) address)))

;; The macros that made the code at an address, but not where a line begins, at which one comes from outside.
(define (macros-within address)
  (if (equal? (place-key (line-at (- address 1))) (place-key (line-at address)))
      (machine-expansions-at (the-machine) address)
      '()))

;; Within what macros made of a line, or where that is asked for, the places in the macros.
(define (show-macros address asked?)
  (if (or asked? (pair? (macros-within address)))
      (for-each (lambda (macro expansion)
                  (let ((source (source-text (cdr expansion))))
                    (say "  in " macro (if source (text "    " source) ""))))
                (macro-texts address)
                (machine-expansions-at (the-machine) address))))

;; The source line and the instruction where the program is.
(define (show-here #!optional (macros? #f))
  (let* ((address (current-address)) (place (line-at address)) (source (and place (source-text place)))
         (instruction (target-instruction address)))
    (if place
        (begin
          (say (place-file place) ":" (place-line place) (if source (text "    " source) ""))
          (show-macros address macros?)))
    (show-guest address)
    (say (styled 'current
                 (text "=> "
                       (if instruction
                           (text (instruction-line instruction)
                                 (if place "" (text "  <" (address-text address) ">")))
                           (text (hex-address address) "  (nothing is mapped here)")))))))

;; ", r11 = 120  0x78": the first result of the call that stands before an address, where it has returned to.
(define (result-text address)
  (let ((call (target-instruction (instructions-before address 1))))
    (if (and call (memq (instruction-name call) '(call callr)))
        (let ((register (text "r" (+ 1 (car (instruction-fields call))))))
          (text ", " register " = " (value-text (target-register register))))
        "")))

;; Why it stopped, a line for each breakpoint that it arrived at; #f after a plain step.
(define (pause-line pause)
  (let ((stop (pause-stop pause))
        (at (text " at " (address-text (pause-pc pause)) (thread-text)))
        (after (text " after " (grouped (pause-count pause)) " instructions")))
    (case (pause-reason pause)
      ((step) #f)
      ((halted) (text "halted with exit status " (stop-exit-status stop) after))
      ((trap) (text "trap" at ": " (trap-text stop)))
      ((breakpoint watchpoint event)
       (string-join (map (lambda (arrival) (arrival-line arrival at)) (pause-arrivals pause)) "\n"))
      ((start) (text "the start of the timeline" at))
      ((called) (text "back before the call" at))
      ((finished) (text "returned to " (address-text (pause-pc pause)) (result-text (pause-pc pause))))
      ((waiting)
       (string-join (cons (text "every thread waits" after) (map waiting-line (machine-threads (the-machine)))) "\n"))
      ((limit) (text (stop-limit->text stop) at "; nothing was done of this call"))
      ((interrupted) (text "interrupted" at after))
      ((out-of-fuel) (text "out of fuel" at after))
      ((host-call) (text "host call " (stop-host-call stop) at " waits for a result that nobody here gives"))
      (else (text (pause-reason pause) at)))))

;; Which thread it is, where there are several.
(define (thread-text)
  (if (null? (cdr (machine-threads (the-machine)))) "" (text " in thread " (session-thread (the-session)))))

(define (waiting-line thread)
  (text "  thread " thread " " (standing-text thread) " at " (where-text (machine-pc (the-machine) thread))))

;; "waits for thread 2"
(define (standing-text thread)
  (let ((standing (machine-thread-standing (the-machine) thread)))
    (case (car standing)
      ((waits-for-address) (text "waits for [" (address-text (cadr standing)) "]"))
      ((waits-for-thread) (text "waits for thread " (cadr standing)))
      ((waits-for-event) "waits for an event")
      ((ended) (text "has ended with " (cadr standing)))
      (else "runs"))))

;; The message, and what the trap of a translated program means.
(define (trap-text stop)
  (let ((meaning (guest-trap-at stop)))
    (text (stop-message stop) (if meaning (text ": " meaning) ""))))

(define (arrival-line arrival at)
  (let* ((breakpoint (arrival-breakpoint arrival))
         (detail (arrival-detail arrival))
         (name (text (breakpoint-name breakpoint) " " (breakpoint-id breakpoint)))
         (before (text ", before" (substring at 3 (string-length at)))))
    (case (breakpoint-kind breakpoint)
      ((break) (text name at))
      ((watch) (text name ": " (breakpoint-where breakpoint) (touch-text breakpoint detail) before))
      ((register thread-register)
       (text name ": " (breakpoint-where breakpoint)
             (if (= (event-before detail) (event-after detail))
                 (text " was written, unchanged: " (number-text (event-after detail)))
                 (text " changed from " (number-text (event-before detail)) " to " (number-text (event-after detail))))
             before))
      ((condition) (text name ": " (breakpoint-where breakpoint) " holds" before))
      ((call) (text name ": call of " (address-text (event-place detail)) " by " (address-text (event-pc detail))))
      ((return) (text name ": return from " (address-text (event-place detail)) before))
      (else (text name ": host call " (or (machine-host-call-name (the-machine) (event-place detail)) "") before)))))

(define (breakpoint-name breakpoint)
  (case (breakpoint-kind breakpoint)
    ((break) (if (breakpoint-temporary? breakpoint) "temporary breakpoint" "breakpoint"))
    ((watch register thread-register condition) "watchpoint")
    (else "catchpoint")))

;; Long ranges are shown by the 8 bytes from the first one that differs on.
(define (bytes-text bytes #!optional (from 0))
  (number->hex (u8vector->number (subu8vector bytes from (min (+ from 8) (u8vector-length bytes))))))

;; The index of the first byte that differs, or #f; both have the same length unless memory was unmapped.
(define (first-difference old new)
  (let ((end (min (u8vector-length old) (u8vector-length new))))
    (let loop ((i 0))
      (cond ((= i end) (if (= (u8vector-length old) (u8vector-length new)) #f 0))
            ((= (u8vector-ref old i) (u8vector-ref new i)) (loop (+ i 1)))
            (else i)))))

;; detail: (access . bytes before)
(define (touch-text breakpoint detail)
  (let* ((old (cdr detail))
         (new (watched-bytes breakpoint))
         (long? (> (u8vector-length new) 8))
         (from (first-difference old new)))
    (cond ((eq? (car detail) 'read) (text " was read" (if long? "" (text ": " (bytes-text new)))))
          (from
           (text (if long? (text " changed at " (hex-address (+ (breakpoint-address breakpoint) from))) " changed")
                 " from " (bytes-text old (if long? from 0)) " to " (bytes-text new (if long? from 0))))
          (else (text " was written, unchanged" (if long? "" (text ": " (bytes-text new))))))))

;; What else is shown when the program has stopped, in the order in which it was asked for.
(define at-stops '())
(define (at-each-stop! show) (set! at-stops (append at-stops (list show))))

(define (show-pause pause #!optional (macros? #f))
  (let ((line (pause-line pause)))
    (note-registers!)
    (fresh-line)
    (if line (say line))
    (if (not (eq? (pause-reason pause) 'halted))
        (begin
          (show-here macros?)
          (for-each (lambda (show) (show)) at-stops)))
    (do-actions (append-map (lambda (arrival) (breakpoint-actions (arrival-breakpoint arrival))) (pause-arrivals pause)))))

;; The command lines that breakpoints were given. The last one is done in place of the command that stopped, so
;; that `continue` there may be met any number of times; others wait for what they set going.
(define (do-actions lines)
  (if (pair? lines)
      (if (null? (cdr lines))
          (run-command (car lines))
          (begin
            (if (= (actions-under-way) most-actions-under-way)
                (raise-user-error "`" (car lines) "` stops at breakpoints whose commands go on, " most-actions-under-way
                                  " times within each other; let it be the last of the commands"))
            (parameterize ((actions-under-way (+ 1 (actions-under-way)))) (run-command (car lines)))
            (do-actions (cdr lines))))))

(define actions-under-way (make-parameter 0))
(define most-actions-under-way 20)
