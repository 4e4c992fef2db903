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
(use debugger/run)
(use debugger/timeline)
(use debugger/show)
(use asm/live)

(define-command (set (place value) (new integer))
  "Sets a register or memory. set r5 10, set pc main, set t0 0x8000, set [table+8] (* 2 r5); memory gets 8 \
bytes, and (target-write! ADDRESS u8vector) writes any number."
  group: changing
  (set-place! place new)
  (say place " = " (value-text (word->integer place))))

;; ---- assembling ------------------------------------------------------------------------------------

;; One statement at an address; gives the address behind it.
(define (assemble-line! address line)
  (enter-scratch-machine!)
  (asm-at! (the-machine) address line name: prompt-file))

(define-command (assemble (instruction line))
  "Assembles an instruction into memory, at the pc. assemble imm r1 5; an address before it (a number, or \
[EXPRESSION]) says where else: assemble 0x10010 nop, assemble [loop+4] jump main."
  aliases: (asm a) group: changing repeat: #f
  (enter-scratch-machine!)
  (let* ((word (car (split-first instruction)))
         (elsewhere? (or (bracketed? word) (word->number word)))
         (address (cond ((bracketed? word) (word->integer (substring word 1 (- (string-length word) 1))))
                        (elsewhere? (word->number word))
                        (else (target-pc))))
         (source (if elsewhere? (cdr (split-first instruction)) instruction)))
    (if (blank-string? source) (raise-user-error "there is no instruction behind the address"))
    (let ((end (assemble-line! address source)))
      (show-instructions-between address end))))

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
    (machine-restore! (the-machine) (cadr entry))
    (timeline-begin!)
    (session-stop-set! session (caddr entry))
    (session-level-set! session 0)
    (session-listed-set! session #f)
    (watchpoints-refresh!)))

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
