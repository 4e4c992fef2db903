;; Machines as one uses them at a REPL. A machine here is the core's machine with what only Scheme knows
;; of it beside it: symbols and source lines, the procedures that serve host calls, the ports that its
;; streams are bound to, its breakpoints.
;;
;;   (use scheme-lib/machine)
;;   (define m (make-machine))
;;   (machine-load! m "hello.img")
;;   (machine-run! m)               => #<stop … reason: halted …>
;;   (machine-register m 'r1)       => 0
;;
;; Where a procedure takes a thread or a space, it is the last argument, and 0 when left out. An address is
;; a number, or the name of a symbol. Values are unsigned 64-bit numbers; where one is stored, any integer
;; is taken whose low 64 bits say it (-1 is 2^64-1).

(module scheme-lib/machine)
(use scheme-lib/util)
(use scheme-lib/symbols)
(use scheme-lib/image)
(use scheme-lib/streams)
(use vm-ext/gambit/vm)
(declare (block))

;; handle: the binding's machine; table: its symbol table; entry: where the loaded program begins, or #f
;; host-calls: name -> (argument count . procedure); streams: a stream, a descriptor or #f for each of three
;; stops: its breakpoints, ((space . address) …); watches: its watchpoints, (#(id space address length access) …)
;; tracers: what to call before instructions, ((opcode . procedure) …); traced: (thread . count) of the last such call
(define-type machine
  constructor: construct-machine
  handle (table unprintable:) entry (host-calls unprintable:) (streams unprintable:)
  (stops unprintable:) (watches unprintable:) (tracers unprintable:) (traced unprintable:))

;; ---- making and loading ----------------------------------------------------------------------------

(define-documented (make-machine #!key (window #f) (memory-limit #f) (register-limit #f) (call-depth-limit #f)
                                 (thread-limit #f) (output-limit #f) (stop-for-memory #f)
                                 (arguments '()) (grants '()) (random-seed #f))
  "A new machine: one empty address space, one thread, streams bound to the current Scheme ports. Limits are
numbers (of bytes mapped, registers, activations, threads, bytes written; see machine-limits-set!); ARGUMENTS is the
program's argument list, GRANTS a list of further host calls: clock, random."
  (for-each (lambda (limit) (check-limit "make-machine" (car limit) (cdr limit)))
            (list (cons 'window window) (cons 'memory-limit memory-limit) (cons 'register-limit register-limit)
                  (cons 'call-depth-limit call-depth-limit) (cons 'thread-limit thread-limit)
                  (cons 'output-limit output-limit)))
  (let* ((handle (vm-machine-new window memory-limit register-limit call-depth-limit thread-limit))
         (machine (construct-machine handle (make-symbol-table) #f (make-table test: equal?)
                                     (make-vector 3 #f) '() '() '() #f)))
    (for-each (lambda (stream what) (machine-stream-set! machine stream what))
              '(0 1 2)
              '(input output error))
    (machine-arguments-set! machine arguments)
    (for-each (lambda (group) (machine-grant! machine group)) grants)
    (if random-seed (machine-random-seed-set! machine random-seed))
    (if (or output-limit stop-for-memory)
        (machine-limits-set! machine output-limit: output-limit stop-for-memory: stop-for-memory))
    machine))

;; For scheme-lib/state: the machine of a handle that was forked from the machine's own.
(define (machine-of-fork machine handle)
  (construct-machine handle (symbol-table-share (machine-table machine)) (machine-entry machine)
                     (table-copy (machine-host-calls machine)) (vector-copy (machine-streams machine))
                     '() '() (machine-tracers machine) #f))

(define unlimited (- (expt 2 64) 1))

(define (check-limit who name value)
  (if (not (or (not value) (and (integer? value) (exact? value) (<= 0 value unlimited))))
      (error (text who " expects " name ": a number from 0 to 2^64-1, not") value)))

(define (limited number) (and (< number unlimited) number))

;; Of a machine, or of a state.
(define config-limits '(window memory-limit register-limit call-depth-limit thread-limit))

(define-documented (machine-limits machine)
  "The limits in force, as an association list: window, memory-limit, register-limit, call-depth-limit, thread-limit,
output-limit (bytes that may still be written, #f: any number), stop-for-memory."
  (let ((limits (vm-get-limits (machine-handle machine))))
    (append (map cons config-limits (vector->list (vm-machine-config (machine-handle machine))))
            (list (cons 'output-limit (limited (vector-ref limits 3)))
                  (cons 'stop-for-memory (vector-ref limits 4))))))

(define-documented (machine-limits-set! machine #!key (memory-limit 'same) (register-limit 'same)
                                        (call-depth-limit 'same) (output-limit 'same) (stop-for-memory 'same))
  "Changes limits of a machine that does not run: of bytes mapped, of registers, of activations, of bytes that may still
be written (#f: any number), and whether a program that wants more memory stops or gets an error. A run that reached
one, with the reason limit (or trap: window, call-depth) and nothing done of the instruction, goes on when it is
raised and run again."
  (let ((now (vm-get-limits (machine-handle machine))))
    (define (number name given n)
      (if (eq? given 'same)
          (vector-ref now n)
          (begin
            (check-limit "machine-limits-set!" name given)
            (or given unlimited))))
    (vm-set-limits (machine-handle machine)
                   (number 'memory-limit memory-limit 0)
                   (number 'register-limit register-limit 1)
                   (number 'call-depth-limit call-depth-limit 2)
                   (number 'output-limit output-limit 3)
                   (if (eq? stop-for-memory 'same) (vector-ref now 4) (and stop-for-memory #t)))))

(define-documented (machine-quota-set! machine name calls)
  "From now on the program may make the host call NAME so many times more, #f: any number. A run that would make one
more stops with the reason limit."
  (check-limit "machine-quota-set!" 'calls calls)
  (vm-host-set-quota (machine-handle machine) (group-name name) (or calls unlimited)))

(define-documented (machine-grant-info machine name)
  "What is known of a host call that was granted, as an association list: signature (a string), fuel (that a call costs
besides its instruction), calls (that were made) and quota (that may still be made, #f: any number)."
  (let ((info (vm-host-granted (machine-handle machine) (group-name name))))
    (list (cons 'signature (vector-ref info 0)) (cons 'fuel (vector-ref info 1)) (cons 'calls (vector-ref info 2))
          (cons 'quota (limited (vector-ref info 3))))))

(define-documented (machine-reset! machine)
  "Back to a new machine: nothing mapped, no symbols, breakpoints or watchpoints; snapshots become void.
Limits, arguments, streams and granted host calls stay."
  (vm-machine-reset (machine-handle machine))
  (machine-table-set! machine (make-symbol-table))
  (machine-entry-set! machine #f)
  (machine-forget-stopping-places! machine))

(define-documented (machine-load! machine what #!key (space 0) (reset (eqv? space 0)))
  "Loads an image (an image object, a file's path, or bytes), its symbols and its source lines, and makes
thread 0 ready to run it. The machine is reset before, unless RESET is #f or another SPACE is meant."
  (let ((image (->image what)))
    (if reset (machine-reset! machine))
    (vm-image-load image (machine-handle machine) space)
    (image-load-symbols! image (machine-table machine))
    (if (eqv? space 0) (machine-entry-set! machine (image-entry image)))))

(define-documented (machine-restart! machine #!optional (where #f) (thread 0))
  "Makes the thread begin afresh, registers 0, at WHERE or at the program's entry. Memory stays."
  (vm-thread-restart (machine-handle machine)
                     thread
                     (machine-address machine
                                      (or where
                                          (machine-entry machine)
                                          (error "no program was loaded: say where the thread is to begin")))))

(define-documented (machine-arguments-set! machine arguments)
  "Sets the program's arguments, a list of strings; by custom the first is the program's name."
  (if (not (and (list? arguments) (every string? arguments)))
      (error "a program's arguments are a list of strings, not" arguments))
  (vm-set-arguments (machine-handle machine) arguments))

(define-documented (machine-environment-set! machine settings)
  "Sets the program's environment, a list of strings NAME=VALUE. It is empty unless set."
  (if (not (and (list? settings) (every string? settings)))
      (error "an environment is a list of strings NAME=VALUE, not" settings))
  (vm-set-environment (machine-handle machine) settings))

(define-documented (machine-directory! machine path #!optional (name path) #!key (read-only #f))
  "Lets the program use the files of a directory of the host, which it calls NAME: it may read and write them, make,
rename and remove them, but for READ-ONLY. Nothing above the directory can be reached from it."
  (vm-grant-directory (machine-handle machine) (path-expand path) name (if read-only 1 3)))

(define-documented (machine-close-files! machine)
  "Closes what the program has opened. For who runs it from its beginning once more."
  (vm-close-files (machine-handle machine)))

(define (group-name group)
  (if (symbol? group) (symbol->string group) group))

(define-documented (machine-grant! machine group)
  "Grants a group of standard host calls: exit, streams, arguments, memory, files, threads, events, clock or random."
  (vm-host-grant-standard (machine-handle machine) (group-name group)))

(define-documented (machine-revoke! machine group)
  "Takes a group of standard host calls back, or one host call by its name."
  (if (member (group-name group) '("exit" "streams" "arguments" "memory" "files" "threads" "events" "clock" "random"))
      (vm-host-revoke-standard (machine-handle machine) (group-name group))
      (begin
        (table-set! (machine-host-calls machine) (group-name group))
        (vm-host-revoke (machine-handle machine) (group-name group)))))

(define-documented (machine-random-seed-set! machine seed)
  "Makes the host call random give the numbers of this seed, an integer of which the low 64 bits count."
  (if (not (and (integer? seed) (exact? seed))) (error "a seed is an integer, not" seed))
  (vm-set-random-seed (machine-handle machine) (u64 seed)))

;; ---- symbols ---------------------------------------------------------------------------------------

(define-documented (machine-symbol-table machine)
  "The machine's symbol table, see scheme-lib/symbols."
  (machine-table machine))

(define-documented (machine-symbols machine)
  "All symbols, ((name . value) …) by value."
  (symbols->list (machine-table machine)))

(define-documented (machine-symbol machine name)
  "The value of a symbol, or #f."
  (symbol-value (machine-table machine) name))

(define-documented (machine-symbol-set! machine name value)
  "Gives a symbol a value; VALUE #f forgets it."
  (if value
      (symbol-add! (machine-table machine) name (u64 value))
      (symbol-remove! (machine-table machine) name)))

;; What stands before an address belongs to it only if it is in the same run of pages: a constant such as
;; SIZE = 5 names no place in a program at 0x10000.
(define (same-region? machine low address)
  (or (= low address)
      (let ((region (vm-next-region (machine-handle machine) 0 address)))
        (and region (<= (vector-ref region 0) low) (<= (vector-ref region 0) address)))))

(define-documented (machine-symbol-at machine address)
  "The symbol that an address belongs to, as (name . offset), or #f."
  (let ((found (symbol-before (machine-table machine) address)))
    (and found
         (same-region? machine (cdr found) address)
         (cons (car found) (- address (cdr found))))))

(define-documented (machine-line-at machine address)
  "The source line of an address, as (file line column), or #f."
  (let ((found (line-before (machine-table machine) address)))
    (and found
         (same-region? machine (vector-ref found 0) address)
         (cdr (vector->list found)))))

(define-documented (machine-expansions-at machine address)
  "The macros that the source line of an address calls for the code there, a list of (macro file line column):
where in each macro the code was made, the outermost first. () where no macro did."
  (let ((found (line-before (machine-table machine) address)))
    (if (and found (same-region? machine (vector-ref found 0) address))
        (expansions-before (machine-table machine) address)
        '())))

(define-documented (machine-address machine where)
  "The address that WHERE means: a number, or the name of a symbol (a string or a Scheme symbol)."
  (cond ((and (integer? where) (exact? where)) (u64 where))
        ((or (string? where) (symbol? where))
         (or (machine-symbol machine where)
             (error (text "no symbol is called `" where "`"
                          (did-you-mean where (symbol-names (machine-table machine)))))))
        (else (error "an address is a number or the name of a symbol, not" where))))

(define-documented (machine-address->text machine address)
  "An address for people: 0x00010004 <main+4>, or the number alone where no symbol is near."
  (let ((found (machine-symbol-at machine address)))
    (if found
        (text (hex-address address) " <" (car found)
              (if (= 0 (cdr found)) "" (text "+" (cdr found)))
              ">")
        (hex-address address))))

;; ---- registers and threads -------------------------------------------------------------------------

;; The number behind a letter, as in r5, or #f.
(define (numbered name letter)
  (let ((string (if (symbol? name) (symbol->string name) name)))
    (and (string? string)
         (> (string-length string) 1)
         (char=? (string-ref string 0) letter)
         (every char-numeric? (cdr (string->list string)))
         (string->number (substring string 1 (string-length string))))))

(define-documented (register-number register)
  "The number of a register: 5 for 5, r5 and \"r5\"."
  (cond ((and (integer? register) (exact? register) (>= register 0)) register)
        ((numbered register #\r))
        (else (error "a register is written r5 or 5, a thread register t5, not" register))))

(define (pc-name? register)
  (member register '(pc "pc")))

(define-documented (machine-register machine register #!optional (level 0) (thread 0))
  "The value of a register: r5 (or 5), a thread register t5, or pc; of the activation LEVEL calls up."
  (cond ((pc-name? register)
         (if (eqv? level 0) (machine-pc machine thread)
             (vector-ref (vm-get-activation (machine-handle machine) thread level) 1)))
        ((numbered register #\t)
         => (lambda (index) (vm-get-thread-register (machine-handle machine) thread index)))
        (else (vm-get-register (machine-handle machine) thread level (register-number register)))))

(define (checked-value value)
  (if (and (integer? value) (exact? value) (<= (- (expt 2 63)) value (- (expt 2 64) 1)))
      (u64 value)
      (error "a register holds an integer from -2^63 to 2^64-1, not" value)))

(define-documented (machine-register-set! machine register value #!optional (level 0) (thread 0))
  "Sets a register: r5 (or 5), t5, or pc."
  (let ((value (checked-value value)))
    (cond ((pc-name? register) (machine-pc-set! machine value thread))
          ((numbered register #\t)
           => (lambda (index) (vm-set-thread-register (machine-handle machine) thread index value)))
          (else
           (vm-set-register (machine-handle machine) thread level (register-number register) value)))))

(define (thread-fact machine thread i)
  (vector-ref (vm-thread-get (machine-handle machine) thread) i))

(define-documented (machine-registers machine #!optional (level 0) (thread 0))
  "The registers that are not 0, ((number . value) ...), of the activation LEVEL calls up: of the innermost
one to the end of what is in use, of a caller up to where its callee's window begins."
  (let* ((handle (machine-handle machine))
         (end (if (eqv? level 0)
                  (thread-fact machine thread 5)
                  (- (vector-ref (vm-get-activation handle thread (- level 1)) 2)
                     (vector-ref (vm-get-activation handle thread level) 2)))))
    (filter (lambda (register) (not (eqv? 0 (cdr register))))
            (map (lambda (i) (cons i (vm-get-register handle thread level i))) (iota end)))))

(define-documented (machine-pc machine #!optional (thread 0))
  "The address of the instruction that the thread executes next."
  (thread-fact machine thread 1))

(define-documented (machine-pc-set! machine where #!optional (thread 0))
  "Makes the thread go on elsewhere; its activations stay."
  (vm-set-pc (machine-handle machine) thread (machine-address machine where)))

(define-documented (machine-count machine #!optional (thread 0))
  "How many instructions the thread has executed, or all threads that there are or were (every-thread)."
  (if (eqv? thread every-thread) (vector-ref (vm-schedule-get (machine-handle machine)) 4) (thread-fact machine thread 2)))

(define-documented (machine-depth machine #!optional (thread 0))
  "How many activations the thread has: 1 where no call is under way."
  (thread-fact machine thread 3))

(define-type activation
  constructor: construct-activation
  level function pc window)

(define-documented (machine-activations machine #!optional (thread 0))
  "The activations, innermost first, as records: activation-level, activation-function (where it was
called), activation-pc (where it stands) and activation-window (its place on the register stack)."
  (map (lambda (level)
         (let ((facts (vm-get-activation (machine-handle machine) thread level)))
           (construct-activation level (vector-ref facts 0) (vector-ref facts 1) (vector-ref facts 2))))
       (iota (machine-depth machine thread))))

(define-documented (machine-make-thread! machine where #!optional (space 0))
  "A new thread that is about to execute at WHERE; the result is its number."
  (vm-thread-new (machine-handle machine) space (machine-address machine where)))

(define-documented (machine-threads machine)
  "The numbers of the threads."
  (let loop ((from 0))
    (let ((thread (vm-next-thread (machine-handle machine) from)))
      (if thread (cons thread (loop (+ thread 1))) '()))))

(define-documented (machine-free-thread! machine thread)
  "Removes a thread; thread 0 stays."
  (vm-thread-free (machine-handle machine) thread))

(define-documented every-thread
  "In the place of a thread, for machine-run!, machine-observe!, machine-count and machine-recording: all threads, in turns."
  (vm-every-thread))

(define-documented (machine-current-thread machine)
  "The thread whose turn it is in runs of every-thread: unless it waits, it executes the next instruction."
  (vector-ref (vm-schedule-get (machine-handle machine)) 2))

(define-documented (machine-slice-left machine)
  "How many instructions the turn of the current thread has left, unless it waits or ends before."
  (vector-ref (vm-schedule-get (machine-handle machine)) 3))

(define-documented (machine-schedule-set! machine #!optional (slice 16384) (seed 0))
  "How long turns are: SLICE instructions, or, where SEED is not 0, from 1 to twice that, drawn from SEED."
  (vm-schedule-set (machine-handle machine) slice seed))

(define-documented (machine-host-threads-set! machine most)
  "Lets runs of every-thread be parallel, on up to MOST threads of this computer, where nothing records them; 0: threads
take turns, as at first. Host calls are made one at a time, on the thread that runs the machine."
  (vm-host-threads-set (machine-handle machine) most))

(define standings '#(runnable waits-for-address waits-for-thread waits-for-event ended))

(define-documented (machine-thread-standing machine #!optional (thread 0))
  "How the thread stands, as (runnable), (waits-for-address ADDRESS), (waits-for-thread NUMBER), (waits-for-event) or
(ended RESULT)."
  (let ((standing (vector-ref standings (thread-fact machine thread 6))) (place (thread-fact machine thread 7)))
    (if (memq standing '(runnable waits-for-event)) (list standing) (list standing place))))

(define-documented (machine-catch-traps! machine kinds)
  "Runs stop for traps of these kinds, a list of symbols, before the program's own handler gets them; #t in it: of all."
  (vm-catch-traps (machine-handle machine)
                  (fold (lambda (kind sum) (if (or (memq #t kinds) (memq (vector-ref traps kind) kinds)) (+ sum (expt 2 kind)) sum))
                        0
                        (iota (vector-length traps)))))

(define-documented (machine-post-event! machine id #!optional (value 0) (kind 'posted))
  "Gives the program an event, of the kind posted or signal, which its handler for ID gets with VALUE."
  (if (not (memq kind '(posted signal))) (error "an event that is posted is of the kind posted or signal, not" kind))
  (if (not (= 0 (vm-post-event (machine-handle machine) (if (eq? kind 'signal) 4 5) id (u64 value))))
      (error "no more events can wait for the program; run it")))

(define-documented (machine-thread-space machine #!optional (thread 0))
  "The address space that the thread is in."
  (thread-fact machine thread 0))

;; ---- memory ----------------------------------------------------------------------------------------

(define protections '((#\r . 1) (#\w . 2) (#\x . 4)))

(define-documented (protection->text protection)
  "Such as \"rw-\" for 3."
  (list->string
   (map (lambda (entry) (if (= 0 (bitwise-and protection (cdr entry))) #\- (car entry))) protections)))

(define-documented (->protection what)
  "The number of a protection that is written \"rwx\", rw or r-x."
  (if (and (fixnum? what) (<= 0 what 7))
      what
      (fold (lambda (c sum)
              (+ sum
                 (cond ((char=? c #\-) 0)
                       ((assv c protections) => cdr)
                       (else (error "a protection is made of r, w, x and -, not" what)))))
            0
            (delete-duplicates (string->list (if (symbol? what) (symbol->string what) what))))))

(define-documented (machine-map! machine where length #!optional (protection 'rw) (space 0))
  "Maps the pages of a range, filled with zeros; pages that were mapped keep their bytes."
  (vm-map (machine-handle machine) space (machine-address machine where) length (->protection protection)))

(define-documented (machine-unmap! machine where length #!optional (space 0))
  "Unmaps every page that the range touches."
  (vm-unmap (machine-handle machine) space (machine-address machine where) length))

(define-documented (machine-protect! machine where length protection #!optional (space 0))
  "Changes the protection of pages that are mapped."
  (vm-protect (machine-handle machine) space (machine-address machine where) length (->protection protection)))

(define-documented (machine-make-space! machine)
  "A new empty address space; the result is its number."
  (vm-space-new (machine-handle machine)))

(define-documented (machine-free-space! machine space)
  "Removes an address space that no thread is in; space 0 stays."
  (vm-space-free (machine-handle machine) space))

(define-documented (machine-regions machine #!optional (space 0))
  "The mapped ranges: ((address length \"rwx\") ...)."
  (let loop ((from 0) (regions '()))
    (let ((region (vm-next-region (machine-handle machine) space from)))
      (if (not region)
          (reverse regions)
          (let* ((address (vector-ref region 0))
                 (length (if (= 0 (vector-ref region 1)) (expt 2 64) (vector-ref region 1)))
                 (end (+ address length))
                 (all (cons (list address length (protection->text (vector-ref region 2))) regions)))
            (if (>= end (expt 2 64)) (reverse all) (loop end all)))))))

(define-documented (machine-memory machine where length #!optional (space 0))
  "LENGTH bytes of memory, whatever their protection, as a u8vector."
  (vm-read (machine-handle machine) space (machine-address machine where) length))

(define-documented (machine-memory-set! machine where bytes #!optional (space 0))
  "Writes a u8vector (or a string, as UTF-8) to memory, whatever its protection."
  (vm-write (machine-handle machine) space (machine-address machine where)
            (if (string? bytes) (string->utf8 bytes) bytes)))

(define-documented (machine-peek machine where #!optional (size 8) (space 0))
  "The unsigned little-endian number in SIZE bytes of memory."
  (u8vector->number (machine-memory machine where size space)))

(define-documented (machine-peek-signed machine where #!optional (size 8) (space 0))
  "The signed little-endian number in SIZE bytes of memory."
  (let ((value (machine-peek machine where size space)))
    (if (< value (expt 2 (- (* 8 size) 1))) value (- value (expt 2 (* 8 size))))))

(define-documented (machine-poke! machine where value #!optional (size 8) (space 0))
  "Stores the low SIZE bytes of a number, little-endian."
  (machine-memory-set! machine where (number->u8vector value size) space))

(define-documented (machine-string machine where #!optional (limit 4096) (space 0))
  "The text at an address up to a NUL byte, the end of memory, or LIMIT bytes."
  (let* ((bytes (readable-bytes machine (machine-address machine where) limit space))
         (end (or (u8vector-index bytes 0) (u8vector-length bytes))))
    (utf8->string (subu8vector bytes 0 end))))

;; Up to `length` bytes, fewer where memory ends before.
(define (readable-bytes machine address length space)
  (let loop ((end address))
    (let ((region (and (< end (+ address length))
                       (< end (expt 2 64))
                       (vm-next-region (machine-handle machine) space end))))
      (if (and region (<= (vector-ref region 0) end))
          (loop (if (= 0 (vector-ref region 1))
                    (expt 2 64)
                    (+ (vector-ref region 0) (vector-ref region 1))))
          (machine-memory machine address (- (min end (+ address length)) address) space)))))

(define longest-instruction 40)

(define-documented (machine-disassemble machine where #!optional (count 10) (space 0))
  "COUNT instructions from an address on: ((address length text) ...)."
  (let* ((start (machine-address machine where))
         (bytes (readable-bytes machine start (* count longest-instruction) space)))
    (let loop ((offset 0) (n 0) (listing '()))
      (if (or (= n count) (= offset (u8vector-length bytes)))
          (reverse listing)
          (let* ((address (+ start offset))
                 (found (vm-disassemble bytes address offset (u8vector-length bytes) (machine-handle machine))))
            (loop (+ offset (car found)) (+ n 1) (cons (list address (car found) (cdr found)) listing)))))))

;; ---- instructions ----------------------------------------------------------------------------------

(define-documented (machine-definitions machine)
  "The instructions that the machine has besides the table's, by opcode: each #(name opcode operands meaning body
parts)."
  (let loop ((n 0) (all '()))
    (let ((row (vm-isa-definition (machine-handle machine) n)))
      (if row (loop (+ n 1) (cons row all)) (reverse all)))))

(define-documented (machine-define! machine name opcode operands meaning body)
  "Gives the machine an instruction, or another body to one that it has; BODY is a u8vector, as
vm-ext/isa/README.md says. The assembler does this with what define-instruction defines."
  (let ((row (vector (string->symbol name) opcode operands meaning body)))
    (if (not (any (lambda (there) (equal? (subvector there 0 5) row)) (machine-definitions machine)))
        (vm-machine-define (machine-handle machine) name opcode operands meaning body))))

(define (opcode-of machine mnemonic)
  (let* ((rows (append (vector->list (vm-isa)) (machine-definitions machine)))
         (row (find (lambda (row) (eq? (vector-ref row 0) mnemonic)) rows)))
    (if row
        (vector-ref row 1)
        (error (text "the machine has no instruction " (written mnemonic)
                     (if (symbol? mnemonic)
                         (did-you-mean (symbol->string mnemonic)
                                       (map (lambda (row) (symbol->string (vector-ref row 0))) rows))
                         ": a mnemonic is a symbol, such as 'mul"))))))

(define treatments '((ordinary . 0) (counted . 1) (forbidden . 3)))
(define treatment-traced 2)

(define-documented (machine-redefine! machine mnemonic how)
  "Lets this machine treat an instruction in another way, from now on. HOW is counted (machine-executed tells how
often), forbidden (it traps as an illegal instruction), ordinary, or a procedure that is called with the machine
before each time; all other instructions run as fast as ever. To give an instruction another meaning, define it
anew with define-instruction."
  (let ((opcode (opcode-of machine mnemonic))
        (treatment (assq how treatments)))
    (if (not (or treatment (procedure? how)))
        (error "an instruction can be redefined as counted, forbidden, ordinary or by a procedure, not as" how))
    (vm-treat (machine-handle machine) opcode (if treatment (cdr treatment) treatment-traced))
    (machine-tracers-set! machine
      (append (if treatment '() (list (cons opcode how)))
              (remove (lambda (entry) (= (car entry) opcode)) (machine-tracers machine))))
    (##void)))

(define-documented (machine-executed machine mnemonic)
  "How often an instruction that is counted was executed since it is; running over the same again counts again."
  (vector-ref (vm-treated (machine-handle machine) (opcode-of machine mnemonic)) 1))

;; Calls what is to be called before the instruction at the pc: once each time that it is executed, however
;; runs are divided.
(define (call-tracer machine thread)
  (let* ((pc (machine-pc machine thread))
         (bytes (readable-bytes machine pc longest-instruction (machine-thread-space machine thread)))
         (known (and (> (u8vector-length bytes) 0)
                     (with-exception-catcher
                      (lambda (exception) #f)
                      (lambda () (vm-decode bytes 0 (u8vector-length bytes) (machine-handle machine))))))
         (tracer (and known (assv (car (vector-ref known 3)) (machine-tracers machine))))
         (now (cons thread (machine-count machine thread))))
    (if (and tracer (not (equal? now (machine-traced machine))))
        (begin
          (machine-traced-set! machine now)
          ((cdr tracer) machine)))))

;; ---- snapshots -------------------------------------------------------------------------------------

(define-type machine-snapshot
  constructor: construct-snapshot
  predicate: machine-snapshot?
  (state unprintable:) (table unprintable:) entry pc)

(define-documented (machine-snapshot machine)
  "The whole state at this moment, symbols included; costs microseconds."
  (construct-snapshot (vm-snapshot-take (machine-handle machine))
                      (symbol-table-share (machine-table machine))
                      (machine-entry machine)
                      (machine-pc machine)))

(define-documented (machine-restore! machine snapshot)
  "Brings the state of a snapshot back; the snapshot stays good. Breakpoints and watchpoints stay."
  (vm-snapshot-restore (machine-handle machine) (machine-snapshot-state snapshot))
  (machine-table-set! machine (symbol-table-share (machine-snapshot-table snapshot)))
  (machine-entry-set! machine (machine-snapshot-entry snapshot)))

(define-documented (machine-free-snapshot! snapshot)
  "Releases a snapshot before the collector does."
  (vm-snapshot-free (machine-snapshot-state snapshot)))

(define-documented (machine-snapshot-bytes machine)
  "How many bytes of memory the machine's snapshots hold."
  (vm-snapshot-bytes (machine-handle machine)))

(define-documented (machine-memory-differences machine snapshot #!optional (limit 1000) (space 0))
  "Where the memory of a space is not what it was in a snapshot: up to LIMIT (address . length), ascending. Up to 7
equal bytes in between count as different, and so does all of a page that is mapped in one of the two only."
  (ranges-since vm-snapshot-difference machine snapshot limit space))

(define-documented (machine-memory-written machine snapshot #!optional (limit 1000) (space 0))
  "Where the memory of a space was written since a snapshot, whatever was written: up to LIMIT (address . length) of
whole pages, ascending. There may be some too many where snapshots were restored or freed since."
  (ranges-since vm-snapshot-written machine snapshot limit space))

(define (ranges-since next machine snapshot limit space)
  (let loop ((from 0) (left limit) (found '()))
    (let ((range (and (> left 0) (next (machine-handle machine) (machine-snapshot-state snapshot) space from))))
      (if (not range)
          (reverse found)
          (let ((end (+ (car range) (cdr range))) (found (cons range found)))
            (if (< end (expt 2 64)) (loop end (- left 1) found) (reverse found)))))))

(define-documented (machine-record! machine #!optional (byte-limit (expt 2 26)))
  "Logs host calls from now on, in at most BYTE-LIMIT bytes: an older snapshot, restored and run, gets the
same results, and makes no output twice. #f ends it."
  (if byte-limit
      (vm-timeline-start (machine-handle machine) byte-limit)
      (vm-timeline-stop (machine-handle machine))))

(define-documented (machine-recording machine #!optional (thread 0))
  "What was recorded: recording, entries (host calls in the log), bytes (that it holds), changes (from
outside, since the start), begin and end (the thread's counts between which it is whole), as an association
list."
  (map cons '(recording entries bytes changes begin end)
       (vector->list (vm-timeline-get (machine-handle machine) thread))))

(define-documented (machine-statistics machine)
  "What the machine has and did beside the program, as an association list: decoded-instructions, decoded-bytes (of the
host's memory that decoded code takes), decoded-limit (of a space: more is dropped), decoded-drops (how often it was),
mapped-bytes (as the limit of memory counts them), spaces, threads, snapshots, output-bytes (given to descriptors)."
  (map cons '(decoded-instructions decoded-bytes decoded-limit decoded-drops mapped-bytes spaces threads snapshots
              output-bytes)
       (vector->list (vm-machine-statistics (machine-handle machine)))))

(define-documented (machine-keep-log! machine)
  "Keeps the log of host calls as it is now, for when the machine has been changed in its past; gives its number."
  (vm-timeline-keep (machine-handle machine)))

(define-documented (machine-resume-log! machine number)
  "Serves host calls from a kept log from now on. Restore a snapshot of its time first."
  (vm-timeline-resume (machine-handle machine) number))

(define-documented (machine-drop-log! machine number)
  "Releases a kept log."
  (vm-timeline-drop (machine-handle machine) number))

(define-documented (machine-hash machine)
  "A hash of the whole state, as 32 hexadecimal digits: the same state gives the same hash everywhere."
  (u8vector->hex (vm-state-hash (machine-handle machine))))

;; Breakpoints and watchpoints that went with the spaces they were in.
(define (machine-forget-stopping-places! machine)
  (machine-stops-set! machine '())
  (machine-watches-set! machine '()))

;; ---- stopping places -------------------------------------------------------------------------------

(define-documented (machine-break! machine where #!optional (space 0))
  "Stops runs before they execute at WHERE. The result is a procedure that undoes it."
  (let ((address (machine-address machine where)))
    (vm-breakpoint-set (machine-handle machine) space address)
    (machine-stops-set! machine
                        (cons (cons space address) (delete (cons space address) (machine-stops machine))))
    (lambda () (machine-unbreak! machine address space))))

(define-documented (machine-unbreak! machine where #!optional (space 0))
  "Removes a breakpoint."
  (let ((address (machine-address machine where)))
    (vm-breakpoint-clear (machine-handle machine) space address)
    (machine-stops-set! machine (delete (cons space address) (machine-stops machine)))))

(define-documented (machine-breakpoints machine #!optional (space 0))
  "The addresses of the breakpoints, ascending."
  (sort (map cdr (filter (lambda (entry) (eqv? (car entry) space)) (machine-stops machine))) <))

(define accesses '((read . 1) (write . 2) (both . 3)))

(define-documented (machine-watch! machine where #!optional (length 8) (access 'write) (space 0))
  "Stops runs behind an instruction that touches the range; ACCESS is read, write or both. The result is a
procedure that undoes it."
  (let* ((address (machine-address machine where))
         (number (or (assq-value access accesses)
                     (error "an access to watch is read, write or both, not" access)))
         (id (vm-watchpoint-set (machine-handle machine) space address length number)))
    (machine-watches-set! machine (cons (vector id space address length access) (machine-watches machine)))
    (lambda () (machine-unwatch! machine id))))

(define-documented (machine-unwatch! machine id)
  "Removes a watchpoint by its number."
  (vm-watchpoint-clear (machine-handle machine) id)
  (machine-watches-set! machine
                        (remove (lambda (entry) (eqv? (vector-ref entry 0) id)) (machine-watches machine))))

(define-documented (machine-watchpoints machine)
  "The watchpoints, oldest first: (#(number space address length access) ...)."
  (reverse (machine-watches machine)))

;; ---- the outside -----------------------------------------------------------------------------------

(define-documented (machine-host-call! machine name count procedure #!key (signature #f) (fuel 0) (quota #f))
  "Lets programs call PROCEDURE by the host call NAME: it receives the machine and COUNT arguments and
returns the result, an integer (anything else counts as 0). With a SIGNATURE, such as \"u32 bytes\", arguments are checked
before; a call costs FUEL besides its instruction, and QUOTA calls may be made, #f: any number (machine-quota-set!)."
  (check-limit "machine-host-call!" 'fuel fuel)
  (check-limit "machine-host-call!" 'quota quota)
  (let ((name (group-name name)))
    (vm-host-grant (machine-handle machine) name signature (or fuel 0) quota)
    (table-set! (machine-host-calls machine) name (cons count procedure))))

(define-documented (machine-host-call-name machine number)
  "The name of an entry of the import list, or #f."
  (vm-host-import-name (machine-handle machine) number))

(define-documented (machine-host-call-number machine name)
  "The number of a host call in the import list, or #f when the program does not name it."
  (let loop ((number 0))
    (let ((found (machine-host-call-name machine number)))
      (and found (if (string=? found (group-name name)) number (loop (+ number 1)))))))

(define-documented (machine-host-argument machine n #!optional (thread 0))
  "Argument N (from 0) of the host call at which a run stopped."
  (vm-host-argument (machine-handle machine) thread n))

(define-documented (machine-complete-host-call! machine result #!optional (thread 0))
  "Ends the host call at which a run stopped, with its result."
  (vm-host-complete (machine-handle machine) thread (checked-value result)))

(define-documented (machine-stream-set! machine stream what)
  "Binds stream 0, 1 or 2 to a Scheme port, to the current input, output or error port (these symbols), to
a descriptor of the host (a number), or to nothing (#f). It may also be a procedure: that of stream 0 gets a
number and gives up to so many bytes in a u8vector, none at the end; that of another gets text."
  (if (not (and (fixnum? stream) (<= 0 stream 2)))
      (error "a machine's streams are 0, 1 and 2; there is no stream" stream))
  (cond ((or (not what) (and (fixnum? what) (>= what 0)))
         (vm-set-stream (machine-handle machine) stream (or what -1))
         (vector-set! (machine-streams machine) stream what))
        ((or (memq what '(input output error)) (port? what) (procedure? what))
         (vm-set-stream (machine-handle machine) stream -2)
         (vector-set! (machine-streams machine) stream (make-stream what)))
        (else
         (error "a stream is bound to a port, input, output, error, a descriptor or #f, not to" what))))

(define-documented (machine-stream machine stream)
  "What stream 0, 1 or 2 is bound to: a port, input, output, error, a descriptor or #f."
  (let ((what (vector-ref (machine-streams machine) stream)))
    (if (stream? what) (stream-target what) what)))

;; ---- running ---------------------------------------------------------------------------------------

(define reasons '#(halted out-of-fuel trap breakpoint watchpoint host-call interrupted observed traced waiting limit))
(define traps
  '#(none brk illegal read write execute misaligned divide overflow invalid call-depth window host-call user))
(define limits '#(none memory output host-calls))
(define machine-trap-kinds (cdr (vector->list traps)))

;; Why a run stopped. reason: a symbol of `reasons`; trap: one of `traps` when the reason is trap, else #f;
;; executed: instructions of this run; count: of the thread in all; host-call: the name; watchpoint: its
;; number; access: read or write; limit: memory, output or host-calls when the reason is limit.
(define-type stop
  constructor: construct-stop
  reason trap pc address message executed count exit-status host-call watchpoint access thread limit)

(define (make-stop machine thread result executed)
  (let* ((reason (vector-ref reasons (vector-ref result 0)))
         (only-for (lambda (wanted value) (and (eq? reason wanted) value))))
    (construct-stop reason
                    (only-for 'trap (vector-ref traps (vector-ref result 1)))
                    (vector-ref result 2)
                    (and (memq reason '(trap watchpoint)) (vector-ref result 3))
                    (only-for 'trap (vector-ref result 10))
                    executed
                    (vector-ref result 4)
                    (only-for 'halted (vector-ref result 6))
                    (only-for 'host-call (vm-host-import-name (machine-handle machine) (vector-ref result 7)))
                    (only-for 'watchpoint (vector-ref result 8))
                    (only-for 'watchpoint (if (= (vector-ref result 9) 2) 'write 'read))
                    thread
                    (and (eq? reason 'limit) (vector-ref limits (vector-ref result 13))))))

;; The numbers of comet.h: #(reason trap pc address instruction-count exit-status message).
(define (stop->vector stop)
  (let ((index (lambda (what names) (or (find (lambda (i) (eq? what (vector-ref names i))) (iota (vector-length names))) 0))))
    (vector (index (stop-reason stop) reasons) (index (stop-trap stop) traps) (stop-pc stop) (or (stop-address stop) 0)
            (stop-count stop) (or (stop-exit-status stop) 0) (or (stop-message stop) ""))))

(define (restop stop reason trap address message #!optional (limit #f))
  (construct-stop reason trap (stop-pc stop) address message (stop-executed stop) (stop-count stop)
                  #f #f #f #f (stop-thread stop) limit))

(define-documented (stop->text stop #!optional (machine #f))
  "A stop in one line for people, with symbols where the machine is given."
  (let ((place (if machine (machine-address->text machine (stop-pc stop)) (hex-address (stop-pc stop)))))
    (case (stop-reason stop)
      ((halted) (text "halted at " place ", exit status " (stop-exit-status stop)))
      ((out-of-fuel) (text "stopped at " place " after " (stop-executed stop) " instructions"))
      ((trap) (text "trap at " place ": " (stop-message stop)))
      ((breakpoint) (text "breakpoint at " place))
      ((watchpoint)
       (text "watchpoint " (stop-watchpoint stop) ": " (stop-access stop) " at "
             (hex-address (stop-address stop)) ", before " place))
      ((host-call) (text "host call " (stop-host-call stop) " at " place " waits for its result"))
      ((observed) (text "observed before " place))
      ((limit) (text (stop-limit->text stop) " at " place "; nothing was done of this call"))
      ((waiting) (text "every thread waits, thread " (stop-thread stop) " at " place))
      (else (text "interrupted at " place)))))

(define-documented (stop-limit->text stop)
  "Which limit a run has reached, in words."
  (text "the limit of "
        (case (stop-limit stop)
          ((memory) "memory")
          ((output) "output")
          (else "calls of this host call"))
        " is reached"))

(define all-fuel (- (expt 2 64) 1))

;; The thread itself, or that which goes on in a run of all.
(define (next-thread machine thread)
  (if (eqv? thread every-thread) (machine-current-thread machine) thread))

;; Whether going on at the pc would pass over a breakpoint: a run does not look at its first instruction,
;; and a pause that the user never saw must not make it a first one.
(define (at-breakpoint? machine thread)
  (and (pair? (machine-stops machine))
       (let ((thread (next-thread machine thread)))
         (member (cons (machine-thread-space machine thread) (machine-pc machine thread))
                 (machine-stops machine)))
       #t))

(define-documented (machine-run! machine #!optional (fuel #f) (thread 0))
  "Runs until something stops it, or for FUEL instructions exactly; the result is a stop record (stop-reason,
stop-pc, ...). Host calls that Scheme serves are served meanwhile, timers and other Scheme threads go on,
and Ctrl-C stops the run with the reason interrupted."
  (run! machine fuel thread #f))

;; A box that Ctrl-C fills until a run has stopped for it.
(define interruption (make-parameter #f))

(define-documented (call-interruptibly thunk)
  "What THUNK gives, which makes one run after the other: Ctrl-C between two of them stops the next one, with the
reason interrupted. Behind the last one it is the caller's."
  (if (interruption)
      (thunk)
      (let* ((noted (box #f))
             (given (parameterize ((interruption noted)
                                   (current-user-interrupt-handler (lambda () (set-box! noted #t))))
                      (thunk))))
        (if (unbox noted) ((current-user-interrupt-handler)))
        given)))

;; observation: what to tell of, or #f
(define (run! machine fuel thread observation)
  (call-interruptibly
   (lambda () (run-noting! machine (or fuel all-fuel) thread observation (interruption)))))

(define (run-noting! machine fuel thread observation noted)
  ;; left: fuel; executed: instructions of this run before the present slice
  (define (slice left executed)
    (if (pair? (machine-tracers machine)) (call-tracer machine (next-thread machine thread)))
    (let* ((result (if observation
                       (observe-slice machine thread left observation)
                       (vm-run (machine-handle machine) thread left)))
           (executed (+ executed (vector-ref result 5)))
           (left (- left (vector-ref result 5)))
           (stop (make-stop machine (vector-ref result 12) result executed)))
      (case (stop-reason stop)
        ((interrupted) (if (vector-ref result 11) (go-on stop left executed) stop))
        ;; Whoever runs in stretches would go on with the next one, and over a breakpoint.
        ((out-of-fuel)
         (if (and (unbox noted) (not (at-breakpoint? machine thread))) (stop-here executed) stop))
        ((traced) (if (unbox noted) (stop-here executed) (slice left executed)))
        ((host-call)
         ;; Serving may wait for input: Ctrl-C that came before must not wait with it.
         (if (unbox noted)
             (stop-here executed)
             (if (and observation (cdr (assq 'recording (machine-recording machine thread))))
                 (let ((before (vm-snapshot-take (machine-handle machine))))
                   (serve machine stop
                          (lambda ()
                            (vm-snapshot-restore (machine-handle machine) before)
                            (vm-snapshot-free before)
                            (slice left executed))))
                 (serve machine stop (lambda () (go-on stop (- left 1) (+ executed 1)))))))
        (else stop))))
  (define (go-on stop left executed)
    (cond ((unbox noted) (stop-here executed))
          ;; One where the run began does not count, also when a tick came before the first instruction.
          ((and (> executed 0) (at-breakpoint? machine thread)) (at-present machine thread 'breakpoint executed))
          (else (slice left executed))))
  (define (stop-here executed)
    (set-box! noted #f)
    (at-present machine thread 'interrupted executed))
  (if (unbox noted) (stop-here 0) (slice fuel 0)))

;; A stop for another reason than the one that C gave, where the thread stands now.
(define (at-present machine thread reason executed)
  (let ((thread (next-thread machine thread)))
    (construct-stop reason #f (machine-pc machine thread) #f #f executed (machine-count machine thread)
                    #f #f #f #f thread #f)))

(define-documented (machine-pause-for-breakpoint machine stop)
  "For callers that run in slices: behind a slice that ran out of fuel at a breakpoint, which the next
slice would pass over, the stop that it is; else #f."
  (and (eq? (stop-reason stop) 'out-of-fuel)
       (at-breakpoint? machine (stop-thread stop))
       (at-present machine (stop-thread stop) 'breakpoint (stop-executed stop))))

;; ---- observing -------------------------------------------------------------------------------------

;; before, after: the values of what was written; of memory, up to 8 bytes from `place` on.
(define-type event
  constructor: construct-event
  kind count pc place length before after)

(define event-kinds
  '((execute . 1) (register . 2) (thread-register . 4) (read . 8) (write . 16) (call . 32) (return . 64)
    (host-call . 128)))

;; filters: for the core; found: the newest first
(define-type observation
  constructor: construct-observation
  filters keep stop-at counts counts-first profile weight of-thread found)

(define last-place (- (expt 2 64) 1))

(define-documented (make-observation filters #!key (stop-at 1000) (keep (+ (or stop-at 1000) 16)) (counts #f) (counts-first 0)
                                     (profile #f) (weight 1) (of-thread every-thread))
  "What machine-observe! is to tell of. FILTERS is a list of (kind first last), or (kind) for every place:
execute (place: an address), register (its index on the register stack), thread-register (its number), read,
write (addresses), call, return (the function's address), host-call (its number). A run stops when there are
STOP-AT events, or a few more, #f: it does not; the last KEEP of them are kept. COUNTS is a u64vector or #f: element
I grows with each instruction executed at COUNTS-FIRST + I. PROFILE, of vm-profile-new, counts what all instructions
do, each as if it were WEIGHT of them; see scheme-lib/profile. What is not about memory is told of the thread OF-THREAD
alone, or of all."
  (construct-observation
   (list->u64vector
    (append-map (lambda (filter)
                  (list (or (assq-value (car filter) event-kinds)
                            (error "there is no such kind of event:" (car filter)))
                        (if (pair? (cdr filter)) (cadr filter) 0)
                        (if (pair? (cdr filter)) (caddr filter) last-place)))
                filters))
   keep (or stop-at 0) counts counts-first profile weight of-thread '()))

(define-documented (observation-events observation)
  "What was seen, the oldest first: event-kind, event-count (of the thread, or of all that ran, before the instruction), event-pc,
event-place, event-length, event-before and event-after (the value; of a call, the number of activations)."
  (reverse (observation-found observation)))

(define (words->event words i)
  (let ((word (lambda (n) (u64vector-ref words (+ (* 7 i) n)))))
    (construct-event (car (find (lambda (kind) (= (cdr kind) (word 0))) event-kinds))
                     (word 1) (word 2) (word 3) (word 4) (word 5) (word 6))))

(define (observe-slice machine thread fuel observation)
  (let* ((keep (observation-keep observation))
         (words (make-u64vector (* 7 keep)))
         (result (vm-observe (machine-handle machine) thread fuel (observation-filters observation) words
                             (observation-stop-at observation)
                             (observation-counts observation) (observation-counts-first observation)
                             (observation-profile observation) (observation-weight observation)
                             (observation-of-thread observation)))
         (found (fold (lambda (i found) (cons (words->event words i) found))
                      (observation-found observation)
                      (iota (car result)))))
    (observation-found-set! observation (take-at-most found keep))
    (cdr result)))

(define-documented (machine-observe! machine observation #!optional (fuel #f) (thread 0))
  "As machine-run!, but instruction by instruction, and OBSERVATION gets what they do. The stop's reason is
`observed` when there are as many events as it wants; it may be used again for what comes next. Of host calls
that Scheme serves, what they did is seen only where the machine records."
  (observation-found-set! observation '())
  (run! machine fuel thread observation))

(define-documented (machine-step! machine #!optional (count 1) (thread 0))
  "Executes COUNT instructions; the result is a stop record."
  (machine-run! machine count thread))

(define-documented (machine-interrupt! machine)
  "Makes the run that is under way in another Scheme thread, or else the next one, stop soon."
  (vm-interrupt (machine-handle machine)))

(define-documented (machine-deadline-set! machine seconds)
  "Runs stop as interrupted when SECONDS from now have passed; #f: no deadline."
  (vm-set-deadline (machine-handle machine)
                   (if seconds (max 1 (inexact->exact (round (* seconds 1000000000)))) 0)))

;; Serves the host call at which the thread stands, then goes on; or gives the stop to the caller when
;; nothing in Scheme serves it.
(define (serve machine stop go-on)
  (let* ((name (stop-host-call stop))
         (entry (table-ref (machine-host-calls machine) name #f))
         (arguments (lambda (count)
                      (map (lambda (n) (machine-host-argument machine n (stop-thread stop))) (iota count))))
         (complete (lambda (result)
                     (vm-host-complete (machine-handle machine) (stop-thread stop) (u64 result))
                     (go-on))))
    (cond (entry
           (let ((result (apply (cdr entry) machine (arguments (car entry)))))
             (complete (if (and (integer? result) (exact? result)) result 0))))
          ((member name '("read" "write"))
           (serve-stream machine stop name (arguments 3) complete))
          (else stop))))

(define transfer-limit 65536)

;; The first byte of a range that a program may not touch, or #f.
(define (first-forbidden machine space address length access)
  (let loop ((at address))
    (if (>= at (+ address length))
        #f
        (let ((region (and (< at (expt 2 64)) (vm-next-region (machine-handle machine) space at))))
          (cond ((not (and region
                           (<= (vector-ref region 0) at)
                           (not (= 0 (bitwise-and access (vector-ref region 2))))))
                 (u64 at))
                ((= 0 (vector-ref region 1)) #f)
                (else (loop (+ (vector-ref region 0) (vector-ref region 1)))))))))

;; Memory that the program itself may not touch traps, as it does where C serves the stream.
(define (serve-stream machine stop name arguments complete)
  (let* ((read? (string=? name "read"))
         (stream (vector-ref (machine-streams machine) (car arguments)))
         (address (cadr arguments))
         (length (min (caddr arguments) transfer-limit))
         (space (machine-thread-space machine (stop-thread stop)))
         (forbidden (first-forbidden machine space address length (if read? 2 1))))
    (cond (forbidden
           (restop stop 'trap (if read? 'write 'read) forbidden
                   (text "host call " name ": the byte at " (hex-address forbidden)
                         (if read? " may not be written" " may not be read"))))
          ((= 0 length) (complete 0))
          ((and (not read?) (> (caddr arguments) (output-left machine))) (restop stop 'limit #f #f #f 'output))
          (read?
           (let ((bytes (stream-read! stream length)))
             (vm-write (machine-handle machine) space address bytes)
             (complete (u8vector-length bytes))))
          (else
           (stream-write! stream (vm-read (machine-handle machine) space address length))
           (if (< (output-left machine) unlimited)
               (machine-limits-set! machine output-limit: (- (output-left machine) length)))
           (complete length)))))

;; C counts what it gives to descriptors by itself; all of a write fits, or none of it is written.
(define (output-left machine)
  (vector-ref (vm-get-limits (machine-handle machine)) 3))
