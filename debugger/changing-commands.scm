;; Commands that change the machine: set, assemble, snapshot, restore; and expect-register, for scripts.

(module debugger/changing-commands)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/breakpoints)
(use debugger/value)
(use debugger/examine)
(use debugger/run)
(use debugger/timeline)
(use debugger/show)
(use debugger/what-if-commands)
(use asm/live)
(use asm/routine)
(use asm/isa)

(define-command (set (place value) (new value))
  "Sets a register or memory. set r5 10, set pc main, set t0 0x8000, set [table+8] (* 2 r5); memory gets 8 \
bytes, and (target-write! ADDRESS u8vector) writes any number. A place of a view gets what it holds: \
set list.next.value 5, set shape.kind circle, set name \"abc\"."
  group: changing
  (telling-of-fork
   (lambda ()
     (set-place! place (new-value place new))
     (breakpoints-refresh!)
     (for-each say (expression-lines place #f)))))

;; ---- assembling ------------------------------------------------------------------------------------

;; One statement at an address; gives the address behind it.
(define (assemble-line! address line)
  (enter-scratch-machine!)
  (asm-at! (the-machine) address line name: prompt-file))

(define-command (assemble #!optional (instruction line ""))
  "Assembles an instruction into memory, at the pc. assemble imm r1 5; an address before it (a number, or \
[EXPRESSION]) says where else: assemble 0x10010 nop, assemble [loop+4] jump main. Without an instruction, lines \
up to `end` are assembled: assemble at the pc, assemble 0x10010 there. assemble ROUTINE puts them in the place of \
the routine at that symbol, for all who call it; where they do not fit they go elsewhere, and the old entry jumps \
there."
  aliases: (asm a) group: changing repeat: #f block: (lambda (words) (opens-block? words))
  (enter-scratch-machine!)
  (let* ((word (car (split-first instruction)))
         (behind (cdr (split-first instruction))))
    (telling-of-fork
     (lambda ()
       (cond ((routine-name word) => (lambda (name) (assemble-routine! name (without-end behind))))
             ((place-word? word)
              (assemble-there! (place-address word) (without-end behind)))
             (else (assemble-there! (target-pc) (without-end instruction))))))))

;; Whether lines follow: behind the command stands nothing, or only a place.
(define (opens-block? words)
  (or (null? words)
      (and (null? (cdr words))
           (or (place-word? (car words)) (routine-name (car words)))
           #t)))

(define (place-word? word) (or (bracketed? word) (word->number word)))

(define (place-address word)
  (if (bracketed? word)
      (word->integer (substring word 1 (- (string-length word) 1)))
      (word->number word)))

;; The symbol that a word is, or #f. An instruction of that name is meant before it.
(define (routine-name word)
  (let ((name (string->symbol word)))
    (and (session-machine (the-session))
         (not (isa-find word))
         (not (find (lambda (row) (eq? (vector-ref row 0) name)) (machine-definitions (the-machine))))
         (machine-symbol (the-machine) name)
         name)))

;; The lines of a block without its last.
(define (without-end source)
  (let* ((newline (string-index-right source #\newline))
         (last (substring source (if newline (+ newline 1) 0) (string-length source))))
    (if (string=? "end" (string-trim last))
        (substring source 0 (or newline 0))
        source)))

(define (assemble-there! address source)
  (if (blank-string? source) (raise-user-error "there is no instruction to assemble"))
  (let ((end (assemble-line! address source)))
    (show-instructions-between address end)))

(define (assemble-routine! name source)
  (if (blank-string? source) (raise-user-error "there is no instruction for `" name "`"))
  (let* ((entry (machine-symbol (the-machine) name))
         (running (filter (lambda (level) (routine-at? (activation-address level) entry))
                          (iota (min 100 (target-depth)))))
         (placed (asm-routine! (the-machine) name source source: prompt-file))
         (start (vector-ref placed 0)))
    (if (vector-ref placed 2)
        (say name " does not fit where it was: it is at " (hex-address start) " now, and "
             (hex-address entry) " jumps there"))
    (if (pair? running)
        (say "it is under way in activation " (string-join (map text running) ", ") ", which goes on "
             (if (vector-ref placed 2) "in the old code" "in what is there now")))
    (show-instructions-between start (vector-ref placed 1))))

;; Whether an address lies in the routine at an entry, beyond its first instruction.
(define (routine-at? address entry)
  (let ((symbol (symbol-at address)))
    (and symbol (> (cdr symbol) 0) (= entry (- address (cdr symbol))))))

;; The first word and the rest of a line.
(define (split-first line)
  (let* ((bracket (and (> (string-length line) 0) (char=? (string-ref line 0) #\[) (string-index line #\])))
         (end (if bracket (+ bracket 1) (or (string-index line char-whitespace?) (string-length line)))))
    (cons (substring line 0 end) (string-trim (substring line end (string-length line))))))

(define (show-instructions-between address end)
  (let loop ((address address))
    (if (< address end) (loop (show-instructions address 1)))))

;; ---- snapshots -------------------------------------------------------------------------------------

(define (snapshot! name)
  (let* ((session (the-session)) (snapshot (machine-snapshot (the-machine))))
    (session-snapshots-set!
     session
     (cons (list name snapshot (session-stop session))
           (remove (lambda (entry) (string=? (car entry) name)) (session-snapshots session))))
    snapshot))

(define (free-name)
  (let loop ((n 1))
    (let ((name (text n))) (if (assoc name (session-snapshots (the-session))) (loop (+ n 1)) name))))

(define-command (snapshot #!optional (name name #f))
  "Keeps the machine's whole state. NAME, or a number, is what restore knows it by; it costs microseconds."
  group: changing repeat: #f
  (the-machine)
  (if (and name (blank-string? name)) (raise-user-error "a snapshot has a name, or gets a number when none is given"))
  (let ((name (or name (free-name))))
    (snapshot! name)
    (say "snapshot " name " at " (address-text (target-pc)) ", " (grouped (target-count)) " instructions")))

(define (snapshot-names beginning)
  (filter (lambda (name) (string-prefix? beginning name)) (map car (session-snapshots (the-session)))))

(define-argument-kind snapshot "a snapshot" (lambda (word) word) snapshot-names)

(define (restore! name)
  (let* ((session (the-session)) (entry (assoc name (session-snapshots session))))
    (if (not entry)
        (raise-user-error "there is no snapshot" (if (string=? name "") "" (text " " name))
                          (if (null? (session-snapshots session))
                              "; `snapshot` takes one"
                              (text "; there are: " (string-join (map car (session-snapshots session)) ", ")))))
    (timeline-set-aside!)
    (target-restore! (cadr entry))
    (timeline-begin!)
    (session-stop-set! session (caddr entry))
    (session-level-set! session 0)
    (session-listed-set! session #f)
    (breakpoints-refresh!)))

(define-command (restore #!optional (name snapshot #f))
  "Brings a kept state back. NAME is that of the snapshot, the newest one unless given; it stays good, and \
breakpoints stay as they are now."
  group: changing repeat: #f
  (the-machine)
  (let ((snapshots (session-snapshots (the-session))))
    (restore! (or name (if (pair? snapshots) (caar snapshots) "")))
    (show-here)))

;; ---- for scripts -----------------------------------------------------------------------------------

(define-command (expect-register (register register) (value integer))
  "Fails unless a register holds a value. For scripts: their exit status then is not 0."
  group: changing
  (let ((found (target-register register)))
    (if (not (= found value))
        (raise-user-error "expected " register " = " (number-text value) ", found " (number-text found)))))
