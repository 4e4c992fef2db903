;; Tests of programs: a routine, or the whole program, is run with registers, memory and input of one's choice;
;; what it leaves behind is held against what is expected. The machine is afterwards what it was before, so
;; that every test begins with the same state, which costs microseconds.
;;
;;   (define machine (make-machine))
;;   (load-source! machine "square.s")
;;   (test-program "square squares" machine 'square call: '(12) expect-result: 144)
;;   (call-routine machine 'square 12)                            => 144
;;
;; A routine is called as `call` calls it: arguments in r1, r2, …, the result in r1, and `ret` from it ends
;; the run.

(module scheme-lib/test-program)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/test)
(declare (block))

;; What a program did: its stop, what it wrote to streams 1 and 2 (u8vectors), and the state that it left.
(define-type outcome
  constructor: construct-outcome
  machine stop output errors (after unprintable:))

;; ---- running ---------------------------------------------------------------------------------------

(define (input-port-of input)
  (open-input-u8vector (if (string? input) (string->utf8 input) input)))

(define (bytes-of what)
  (if (string? what) (string->utf8 what) what))

(define page-size 65536)

;; Bytes that a routine gets the address of stand behind all that is mapped, with a page between.
(define (place-scratch! machine bytes)
  (let* ((end (fold (lambda (region end) (max end (+ (car region) (cadr region)))) 0 (machine-regions machine)))
         (address (* page-size (+ 1 (quotient (+ end page-size -1) page-size)))))
    (machine-map! machine address (max 1 (u8vector-length bytes)) 'rw)
    (machine-memory-set! machine address bytes)
    address))

;; An argument as a register holds it.
(define (argument-value machine argument)
  (cond ((integer? argument) argument)
        ((symbol? argument) (machine-address machine argument))
        ((string? argument) (place-scratch! machine (u8vector-append (string->utf8 argument) (u8vector 0))))
        ((u8vector? argument) (place-scratch! machine argument))
        (else
         (error "an argument of a routine is an integer, a symbol's name, a string or a u8vector, not" argument))))

(define (set-arguments! machine arguments)
  (for-each (lambda (n argument) (machine-register-set! machine n (argument-value machine argument)))
            (iota (length arguments) 1)
            arguments))

(define (prepare! machine where call registers memory)
  (machine-restart! machine where)
  (set-arguments! machine call)
  (for-each (lambda (entry) (machine-register-set! machine (car entry) (cdr entry))) registers)
  (for-each (lambda (entry) (machine-memory-set! machine (car entry) (cdr entry))) memory))

;; What thunk gives; the machine's state is afterwards what it was before. A snapshot that is not needed any
;; more is released at once: going back takes longer where there are many.
(define (with-state-kept machine thunk)
  (let ((before (machine-snapshot machine)))
    (dynamic-wind
     void
     thunk
     (lambda ()
       (machine-restore! machine before)
       (machine-free-snapshot! before)))))

(define (with-streams machine bindings thunk)
  (let ((streams (map (lambda (n) (machine-stream machine n)) '(0 1 2)))
        (bind! (lambda (bindings)
                 (for-each (lambda (n what) (machine-stream-set! machine n what)) '(0 1 2) bindings))))
    (dynamic-wind (lambda () (bind! bindings)) thunk (lambda () (bind! streams)))))

(define usual-fuel 10000000)

(define-documented (run-program machine where #!key (call '()) (registers '()) (memory '()) (input "")
                                (fuel usual-fuel))
  "Runs from WHERE (an address, a symbol, or #f for the program's entry) until it stops, and brings the
machine back to what it was. CALL is the arguments of a routine, for r1, r2, ...: integers, names of symbols,
or strings (ended by a zero) and u8vectors, whose address in fresh memory it gets. REGISTERS is
((r1 . 5) ...), MEMORY ((address . bytes or string) ...), INPUT what stream 0 gives. The result is an outcome:
outcome-stop, outcome-output and outcome-errors (u8vectors), (outcome-register o 'r1), (outcome-memory o
address length)."
  (let ((output (open-output-u8vector))
        (errors (open-output-u8vector)))
    (with-state-kept machine
      (lambda ()
        (with-streams machine (list (input-port-of input) output errors)
          (lambda ()
            (prepare! machine where call registers memory)
            (let ((stop (machine-run! machine fuel)))
              (construct-outcome machine stop (get-output-u8vector output) (get-output-u8vector errors)
                                 (machine-snapshot machine)))))))))

;; What `look` sees in the state that the program left.
(define (seeing outcome look)
  (let ((machine (outcome-machine outcome)))
    (with-state-kept machine
      (lambda ()
        (machine-restore! machine (outcome-after outcome))
        (look machine)))))

(define-documented (outcome-register outcome register)
  "What a register (r1, t0, pc) holds where the program stopped."
  (seeing outcome (lambda (machine) (machine-register machine register))))

(define-documented (outcome-memory outcome where length)
  "LENGTH bytes of memory as the program left them."
  (seeing outcome (lambda (machine) (machine-memory machine where length))))

;; ---- calling a routine -----------------------------------------------------------------------------

;; Whether it was `ret` that ended the run, and not `halt` or the host call exit.
(define (returned? machine stop)
  (and (eq? (stop-reason stop) 'halted)
       (equal? "ret" (caddr (car (machine-disassemble machine (stop-pc stop) 1))))
       (= 1 (machine-depth machine))))

(define (not-returned machine where stop)
  (error (text where " did not return: " (stopped-text machine stop))))

(define-documented (call-routine machine where . arguments)
  "Calls the routine at WHERE with ARGUMENTS as run-program has them, and gives what it returned in r1. The
machine is afterwards what it was. An error where the routine did not return, which tells why and where."
  (with-state-kept machine
    (lambda ()
      (prepare! machine where arguments '() '())
      (let ((stop (machine-run! machine usual-fuel)))
        (if (not (returned? machine stop)) (not-returned machine where stop))
        (machine-register machine 1)))))

(define-documented (machine-routine machine where)
  "The routine at WHERE as a Scheme procedure, see call-routine."
  (lambda arguments (apply call-routine machine where arguments)))

;; ---- what differs ----------------------------------------------------------------------------------

(define-documented (check-program machine where #!key (call #f) (registers '()) (memory '()) (input "")
                                  (fuel usual-fuel) (expect-result #f) (expect-registers '()) (expect-memory '())
                                  (expect-output #f) (expect-errors #f) (expect-trap #f) (expect-status #f)
                                  (expect-count #f) (expect-count-at-most #f))
  "Runs as run-program does and gives the list of what differs from what is expected, as pairs of texts, and, if
anything does, where the program stopped: EXPECT-RESULT (in r1), registers, memory, output and errors (strings
or u8vectors), the trap's name, the exit status, the number of instructions, or the most that it may take. A
trap that is not expected, and running out of fuel, differ too; with CALL, so does ending without a return."
  (let* ((outcome (run-program machine where call: (or call '()) registers: registers memory: memory input: input
                               fuel: fuel))
         (stop (outcome-stop outcome)))
    (define (differs what expected actual)
      (list (cons (text what) (text "expected " expected ", found " actual))))
    (define (compare what expected actual)
      (if (equal? expected actual) '() (differs what (value-text expected) (value-text actual))))
    (define (compare-bytes what expected actual)
      (if expected (compare what (bytes-of expected) actual) '()))
    (define (compare-registers)
      (append-map (lambda (entry)
                    (compare (car entry) (u64 (cdr entry)) (outcome-register outcome (car entry))))
                  (append (if expect-result (list (cons 'r1 expect-result)) '()) expect-registers)))
    (define (compare-end)
      (cond (expect-trap
             (if (eq? expect-trap (stop-trap stop)) '() (differs "trap" expect-trap (or (stop-trap stop) "none"))))
            ((not (eq? (stop-reason stop) 'halted)) (differs "end" "halted" (stop-reason stop)))
            ((and call (not expect-status) (not (seeing outcome (lambda (machine) (returned? machine stop)))))
             (differs "end" "a return" "the program's end"))
            (else '())))
    (define (compare-count)
      (let ((count (stop-executed stop)))
        (append
         (if expect-count (compare "instructions" expect-count count) '())
         (if (and expect-count-at-most (> count expect-count-at-most))
             (differs "instructions" (text "at most " expect-count-at-most) count)
             '()))))
    (let ((differences
           (append
            (compare-end)
            (if expect-status (compare "status" expect-status (stop-exit-status stop)) '())
            (compare-registers)
            (append-map (lambda (entry)
                          (let ((bytes (bytes-of (cdr entry))))
                            (compare (place-name (car entry)) bytes
                                     (outcome-memory outcome (car entry) (u8vector-length bytes)))))
                        expect-memory)
            (compare-bytes "output" expect-output (outcome-output outcome))
            (compare-bytes "errors" expect-errors (outcome-errors outcome))
            (compare-count))))
      (let ((details (if (null? differences) '() (append differences (state-details outcome)))))
        (machine-free-snapshot! (outcome-after outcome))
        details))))

(define (place-name where) (if (integer? where) (hex-address where) where))

;; Bytes that are all text are shown as text.
(define (value-text value)
  (cond ((and (u8vector? value)
              (every (lambda (byte) (or (memv byte '(9 10)) (<= 32 byte 126))) (u8vector->list value)))
         (written (utf8->string value)))
        ((and (integer? value) (exact? value) (> value 9)) (text value " (" (number->hex value) ")"))
        (else (written value))))

;; ---- where it stopped ------------------------------------------------------------------------------

;; "square+4 (0x00010004), square.s:9"
(define (address-text machine address)
  (let ((symbol (machine-symbol-at machine address)) (line (machine-line-at machine address)))
    (text (if symbol
              (text (car symbol) (if (= 0 (cdr symbol)) "" (text "+" (cdr symbol))) " (" (hex-address address) ")")
              (hex-address address))
          (if line (text ", " (short-path (car line)) ":" (cadr line)) ""))))

(define (stopped-text machine stop)
  (text (case (stop-reason stop)
          ((trap) (text "trap " (stop-trap stop)))
          ((halted) (text "halted with status " (stop-exit-status stop)))
          ((out-of-fuel) "out of fuel")
          (else (stop-reason stop)))
        " at " (address-text machine (stop-pc stop))
        (if (stop-message stop) (text ": " (stop-message stop)) "")
        ", after " (stop-executed stop) (if (= 1 (stop-executed stop)) " instruction" " instructions")))

(define most-registers 12)

(define (registers-text machine)
  (let ((registers (machine-registers machine)))
    (if (null? registers)
        "all 0"
        (text (string-join (map (lambda (register) (text "r" (car register) " " (value-text (cdr register))))
                                (take-at-most registers most-registers))
                           ", ")
              (if (> (length registers) most-registers) ", ..." "")))))

(define (state-details outcome)
  (let ((stop (outcome-stop outcome)))
    (seeing outcome
      (lambda (machine)
        (let ((instructions (machine-disassemble machine (stop-pc stop) 1)))
          (append
           (list (cons "stopped" (stopped-text machine stop)))
           (if (pair? instructions) (list (cons "instruction" (caddr (car instructions)))) '())
           (list (cons "registers" (registers-text machine)))))))))

(define (test-run-program promise place check) (test-check promise place check))
