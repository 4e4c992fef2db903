;; The Simple VM's interactive mode, see scheme-lib/loaders/SIMPLE-VM.md. A line is an instruction, in assembly or as
;; four bytes in hexadecimal; one that begins with ! is a command. All state is the session's: the program is what the
;; image holds, the rest is in the machine.

(module debugger/simple-vm-commands)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/image)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/simple-vm/instructions)
(use scheme-lib/loaders/simple-vm/program)
(use scheme-lib/loaders/simple-vm/assemble)
(use scheme-lib/loaders/simple-vm/translate)
(use scheme-lib/loaders/simple-vm/layout)
(use scheme-lib/loaders/simple-vm/guest)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/value)
(use debugger/run)
(use debugger/breakpoints)
(use debugger/guest)
(use debugger/line-mode)
(use debugger/show)

;; ---- the program ---------------------------------------------------------------------------------------

(define (simple-vm?) (eq? (the-guest) simple-vm-guest))

(define empty-program (make-program (u8vector) (u8vector) '() '()))

;; What is loaded, as a program of the Simple VM.
(define (current-program)
  (let* ((image (loaded-image (the-program)))
         (section (find (lambda (section) (string=? (vector-ref section 0) "simple-vm")) (image-sections image)))
         (program (bytes->program (vector-ref section 2) #f)))
    (make-program (program-data program) (program-code program) (labels program image) (program-lines program))))

;; The symbols of an image as labels of the program.
(define (labels program image)
  (filter-map
   (lambda (symbol)
     (let* ((name (vector-ref symbol 0)) (value (vector-ref symbol 1)) (offset (- value program-address header-length)))
       (cond ((string-index name #\.) #f)
             ((guest-place value) => (lambda (pc) (cons* name 'code (string->number pc))))
             ((<= 0 offset (u8vector-length (program-data program))) (cons* name 'data offset))
             (else #f))))
   (image-symbols image)))

;; ---- the machine ---------------------------------------------------------------------------------------

;; Where the machine stands: an address of the Simple VM. Behind the last instruction, and wherever else it has none,
;; that is the program's end.
(define (current-pc program)
  (let ((place (guest-place (target-pc))))
    (if place (string->number place) (program-end program))))

(define (program-end program) (+ (program-entry program) (u8vector-length (program-code program))))

;; Where the translation of the instruction at an address begins.
(define (comet-address pc)
  (machine-position (lambda (name) (machine-symbol (the-machine) name)) pc target-read))

;; A machine of its own with the program, which stands at an address; registers, heap and stack are those of the
;; session's machine, or as they are at first.
(define (enter-program! program pc keep?)
  (let* ((session (the-session))
         (old (and keep? (session-machine session)))
         (image (program->image program))
         (machine (make-machine)))
    (mark-image! image simple-vm-guest)
    (machine-load! machine image)
    (machine-step! machine 2) ; what prepares it
    (if old (copy-state! old machine))
    (session-program-set! session (make-loaded "simple-vm" "simple-vm" image))
    (enter-machine! session machine)
    (breakpoints-install!)
    (target-pc-set! (comet-address pc))))

(define (copy-state! from to)
  (define (copy-memory! address length)
    (if (> length 0) (machine-memory-set! to address (machine-memory from address length))))
  (for-each (lambda (n) (machine-register-set! to n (machine-register from n)))
            (iota (- frame-register (integer-register 0) -1) (integer-register 0)))
  (copy-memory! stack-address (* 4 (machine-register from stack-register)))
  (copy-memory! heap-address (machine-register from heap-register)))

(define (prepare!)
  (if (simple-vm?)
      (if (< (target-pc) (comet-address (program-entry (current-program))))
          (machine-step! (the-machine) 2))
      (enter-program! empty-program header-length #f)))

;; ---- a line of code ------------------------------------------------------------------------------------

(define (hexadecimal? line)
  (let ((digits (filter (lambda (c) (not (char-whitespace? c))) (string->list line))))
    (and (= 8 (length digits)) (every (lambda (c) (string-index "0123456789abcdefABCDEF" c)) digits))))

(define (line->code line program)
  (if (hexadecimal? line) (hex->u8vector line) (assemble-line line (program-symbols program))))

;; Adds instructions behind the last, and does as many of those where the machine stands.
(define (do-code! line)
  (let* ((program (current-program)) (code (line->code line program)) (pc (current-pc program)))
    (enter-program! (make-program (program-data program)
                                  (u8vector-append (program-code program) code)
                                  (program-symbols program)
                                  '())
                    pc #t)
    (let ((before (guest-register-rows)))
      (for-each (lambda (n) (do-instruction!)) (iota (quotient (u8vector-length code) 4)))
      (show-rows (remove (lambda (row) (member row before)) (guest-register-rows))))))

;; One instruction. Behind one that ends the program or traps, the next line goes on.
(define (do-instruction!)
  (let ((program (current-program)))
    (let loop ((place (current-pc program)))
      (let ((stop (machine-step! (the-machine) 1)))
        (cond ((eq? (stop-reason stop) 'out-of-fuel)
               (if (not (or (guest-instruction-at (target-pc)) (= (target-pc) (comet-address (program-end program)))))
                   (loop place)))
              ((eq? (stop-reason stop) 'halted)
               (say "ended with code " (stop-exit-status stop))
               (skip! place program))
              (else
               (say (trap-text stop))
               (skip! place program)))))))

(define (skip! place program)
  (target-pc-set! (comet-address (min (+ place 4) (program-end program)))))

;; ---- commands ------------------------------------------------------------------------------------------

(define history '())

(define (show-rows rows) (columns (map (lambda (row) (list (car row) (cdr row))) rows)))

(define (show-registers)
  (show-rows (remove (lambda (row) (member (cdr row) '("0" "0."))) (guest-register-rows))))

(define (show-program)
  (let* ((program (current-program)) (code (program-code program)))
    (columns
     (map (lambda (n)
            (let ((at (* 4 n)))
              (list (number->string (+ (program-entry program) at))
                    (u8vector->hex (subu8vector code at (+ at 4)))
                    (instruction->text code at))))
          (iota (program-instructions program))))))

(define (show-symbols)
  (columns (map (lambda (symbol) (list (car symbol) (symbol->string (cadr symbol)) (number->string (cddr symbol))))
                (program-symbols (current-program)))))

(define (clear-registers!)
  (for-each (lambda (n) (machine-register-set! (the-machine) n 0)) (iota 64 (integer-register 0))))

;; What is typed next comes behind the program.
(define (go-behind!) (target-pc-set! (comet-address (program-end (current-program)))))

(define (load-file! path)
  (load-program! path)
  (if (not (simple-vm?)) (raise-user-error path ": is no program of the Simple VM"))
  (show-pause (run-program!))
  (go-behind!))

;; The session's program, or that of a file, from its beginning.
(define (spawn #!optional (path #f))
  (let ((machine (make-machine))
        (image (loaded-image (if path (read-program path) (the-program)))))
    (machine-load! machine image)
    (say "started " (or path "a copy"))
    (let ((stop (machine-run! machine)))
      (fresh-line)
      (if (eq? (stop-reason stop) 'halted)
          (say "ended with code " (stop-exit-status stop))
          (say "crashed: " (stop->text stop machine))))))

(define (no-cluster . arguments)
  (raise-user-error "there are no clusters here: a program reaches no other host; !spawn runs it in a machine of its own, "
                    "and a state that `core` writes goes on elsewhere"))

;; name, how few and how many words may be behind it, what they are called, procedure
(define commands-here
  (list (list "!quit" 0 0 #f leave-line-mode!)
        (list "!history" 0 0 #f (lambda () (for-each say (reverse history))))
        (list "!program" 0 0 #f show-program)
        (list "!clear_program" 0 0 #f (lambda () (enter-program! empty-program header-length #t)))
        (list "!registers" 0 0 #f show-registers)
        (list "!clear_registers" 0 0 #f clear-registers!)
        (list "!symbols" 0 0 #f show-symbols)
        (list "!load_file" 1 1 "a file" load-file!)
        (list "!spawn" 0 1 "a file or nothing" spawn)
        (list "!start_cluster" 0 9 #f no-cluster)
        (list "!join_cluster" 0 9 #f no-cluster)
        (list "!cluster_members" 0 9 #f no-cluster)))

(define (do-command! line)
  (let* ((words (filter (lambda (word) (not (string=? word ""))) (string-split line #\space)))
         (entry (assoc (car words) commands-here)))
    (if (not entry)
        (raise-user-error "there is no command " (car words) (did-you-mean (car words) (map car commands-here))
                          "; there are " (string-join (map car commands-here) " ")))
    (if (not (<= (cadr entry) (- (length words) 1) (caddr entry)))
        (raise-user-error (car words) " takes " (or (cadddr entry) "nothing behind it")))
    (apply (list-ref entry 4) (cdr words))))

;; What Tab offers.
(define (completions before beginning)
  (cond ((string=? before "")
         (filter (lambda (name) (string-prefix? beginning name)) (append (map car commands-here) (instruction-names))))
        ((member before '("!load_file" "!spawn")) (file-names beginning))
        (else '())))

(define (do-line! line)
  (let ((line (string-trim line)))
    (if (not (blank-string? line))
        (begin
          (set! history (cons line history))
          (prepare!)
          (if (char=? #\! (string-ref line 0)) (do-command! line) (do-code! line))))))

(define-command (simple-vm)
  "Goes over to the Simple VM's interactive mode. A line there is an instruction of that machine, in its assembly \
language or as four bytes in hexadecimal, which is added to the program and done; !registers, !program, !symbols, \
!history, !load_file FILE, !spawn [FILE], !clear_program and !clear_registers are its commands, and !quit comes back."
  group: program repeat: #f
  (prepare!)
  (let ((pause (session-stop (the-session))))
    (if (and pause (eq? (pause-reason pause) 'halted)) (go-behind!)))
  (enter-line-mode! "simple-vm" do-line! completions))
