;; States of machines in files: checkpoints, core files, machines moved to another process, recordings.
;;
;;   (use scheme-lib/state)
;;   (machine-save m "now.state")
;;   (define m2 (make-machine-for-state (read-state "now.state")))
;;   (machine-restore-state! m2 (read-state "now.state"))
;;   (machine-run! m2)              ; goes on as m does
;;
;; A file may come from anybody: it is checked in full when it is read.

(module scheme-lib/state)
(use scheme-lib/util)
(use scheme-lib/machine)
(use vm-ext/gambit/vm)
(declare (block))

;; handle: the binding's state; facts: what vm-state-get says of it
(define-type state
  constructor: construct-state
  handle (facts unprintable:))

(define (wrap handle) (construct-state handle (vm-state-get handle)))
(define (fact state i) (vector-ref (state-facts state) i))
(define (handle-or-false state) (and state (state-handle state)))

;; ---- saving ----------------------------------------------------------------------------------------

(define-documented (machine-save machine path #!key (base #f) (image #f) (stop #f))
  "Writes the machine's state to a file. IMAGE, an image object, and STOP, a stop record, go along for those who
look at it. The result can be the BASE of a later state, which then holds only the pages that differ."
  (wrap (vm-state-save (machine-handle machine) path (handle-or-false base) image
                       (if stop (stop-thread stop) 0) (and stop (stop->vector stop)))))

(define-documented (machine->bytes machine #!key (base #f) (image #f) (stop #f))
  "As machine-save, but the file's bytes are the result, a u8vector."
  (cdr (vm-state-save (machine-handle machine) #f (handle-or-false base) image
                      (if stop (stop-thread stop) 0) (and stop (stop->vector stop)))))

;; ---- in memory -------------------------------------------------------------------------------------

(define-documented (machine-capture machine)
  "The machine's state, kept in memory: as one that was read from a file, but machines that restore it share its
pages until they write to them. It can be the BASE of what is saved later."
  (wrap (vm-state-capture (machine-handle machine))))

(define-documented (machine-fork machine #!optional (state #f))
  "Another machine in a captured STATE, or in the machine's own: with the same limits, host calls, streams and
symbols, without its breakpoints, watchpoints and snapshots. Capturing once and forking often makes many machines
cheap: each costs what it changes."
  (machine-of-fork machine (vm-machine-fork (machine-handle machine) (handle-or-false state))))

;; ---- reading ---------------------------------------------------------------------------------------

(define-documented (read-state what #!optional (base #f))
  "The state or recording in a file, given as a path or a u8vector. Where it was saved against a base, that has to
be read first."
  (wrap (vm-state-read (if (string? what) (read-file-bytes what) what) (handle-or-false base))))

(define-documented (state-identity state)
  "A hash that tells states apart, in hexadecimal; that of a recording is that of its beginning."
  (u8vector->hex (fact state 0)))

(define-documented (state-base state)
  "The identity of the base that the file was saved against, or #f."
  (and (fact state 1) (u8vector->hex (fact state 2))))

(define-documented (state-image-hash state)
  "The hash of the image that the machine was loaded with, in hexadecimal, or #f."
  (and (> (fact state 3) 0) (u8vector->hex (fact state 4))))

(define-documented (image-hash image)
  "The hash by which states know an image object, in hexadecimal."
  (state-image-hash (wrap (car (vm-state-save (vm-machine-new) #f #f image)))))

(define-documented (state-image state)
  "The image that goes along, an image object, or #f."
  (let ((bytes (vm-state-image (state-handle state))))
    (and bytes (vm-image-read bytes))))

(define-documented (state-pages state)
  "How many pages of 64 KiB are mapped, and how many of them are not all zero, as a pair."
  (cons (fact state 5) (fact state 6)))

(define-documented (state-limits state)
  "The limits of the machine that was saved: those that machine-limits begins with, but for output and stopping."
  (map cons config-limits
       (vector->list (vm-state-config (state-handle state)))))

(define (names-of get state)
  (let loop ((n 0) (names '()))
    (let ((name (get (state-handle state) n)))
      (if name (loop (+ n 1) (cons name names)) (reverse names)))))

(define-documented (state-imports state)
  "The program's import list."
  (names-of vm-state-import state))

(define-documented (state-arguments state)
  "The program's arguments."
  (names-of vm-state-argument state))

(define-documented (state-directories state)
  "The names of the directories that the program was granted."
  (names-of vm-state-directory state))

(define-documented (state-stop state machine)
  "Why the machine stopped, as a stop record, or #f; MACHINE is one with the state in it."
  (and (fact state 7)
       (let ((result (vm-state-stop (state-handle state))))
         (make-stop machine (state-thread state) result (vector-ref result 5)))))

(define-documented (state-thread state)
  "The thread that stopped, or 0."
  (fact state 8))

(define-documented (state-hash state)
  "The machine-hash of the machine that stopped, or #f."
  (and (fact state 7) (u8vector->hex (fact state 9))))

(define-documented (state-recording? state)
  "Whether it is a recording."
  (fact state 10))

(define-documented (state-lost? state)
  "Whether the recording ends where the machine was changed from outside."
  (fact state 11))

(define-documented (state-entries state)
  "How many host calls the recording has."
  (fact state 12))

(define-documented (state-begin state)
  "The thread's instruction count in the state."
  (fact state 13))

(define-documented (state-end state)
  "The instruction count that the thread is known to have come to."
  (fact state 14))

;; ---- restoring -------------------------------------------------------------------------------------

;; Clock and random numbers hurt nobody; what else a program was given, whoever opens the state may serve.
(define (grant-import! machine name)
  (cond ((member name '("clock" "random")) (machine-grant! machine name))
        ((string=? name "timer") (machine-grant! machine "clock"))
        ((not (granted? machine name)) (vm-host-grant (machine-handle machine) name))))

(define (granted? machine name)
  (with-exception-catcher
   (lambda (exception) #f)
   (lambda () (vm-host-granted (machine-handle machine) name) #t)))

(define-documented (make-machine-for-state state #!optional (allowed-memory (expt 2 30)))
  "A new machine with the limits of the one that was saved, and with what its program imports: standard host calls
work, others stop the run with the reason host-call unless machine-host-call! serves them. It is an error when the
limit of memory is above ALLOWED-MEMORY bytes: the file may come from anybody."
  (let* ((limit (lambda (name) (cdr (assq name (state-limits state)))))
         (machine (make-machine memory-limit: (limit 'memory-limit) register-limit: (limit 'register-limit)
                                call-depth-limit: (limit 'call-depth-limit) thread-limit: (limit 'thread-limit))))
    (if (> (limit 'memory-limit) allowed-memory)
        (error (text "the state is of a machine that may map " (limit 'memory-limit) " bytes; this one may only map "
                     allowed-memory)))
    (for-each (lambda (name) (grant-import! machine name)) (state-imports state))
    machine))

(define-documented (machine-restore-state! machine state)
  "Makes the machine go on from a state; from the beginning of a recording. Breakpoints and watchpoints go;
snapshots and symbols stay."
  (vm-state-restore (machine-handle machine) (state-handle state))
  (machine-forget-stopping-places! machine))

;; ---- recordings ------------------------------------------------------------------------------------

(define-documented (machine-record-to! machine path #!key (image #f))
  "Writes a recording to a file from now on: the state, then what comes in by host calls, as it comes."
  (if (not (cdr (assq 'recording (machine-recording machine)))) (machine-record! machine 0))
  (vm-record-start (machine-handle machine) path image))

(define-documented (machine-record-end! machine #!optional (stop #f))
  "Ends the recording; STOP, a stop record, says how the program ended."
  (vm-record-stop (machine-handle machine) (if stop (stop-thread stop) 0) (and stop (stop->vector stop))))

(define-documented (machine-replay! machine state #!optional (byte-limit (expt 2 26)))
  "Gives a machine that is where a recording begins its log: running does what was done, with nothing coming in
anew. Behind its end execution is live. BYTE-LIMIT is as for machine-record!."
  (vm-timeline-load (machine-handle machine) (state-handle state) byte-limit))
