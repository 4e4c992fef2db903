;; comet-vm run and comet-vm debug: a program with limits and grants, as comet-vm-no-scheme runs it, but
;; from a source too, and with the debugger at hand when it traps.

(module repl/cli-run)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/loaders/loader)
(use asm/diagnostic)
(use vm-ext/gambit/vm)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/run)
(use debugger/timeline)
(use debugger/program)
(use debugger/left-behind)
(use debugger/breakpoints)
(use debugger/profile-commands)
(use scheme-lib/profile)
(use scheme-lib/state)
(use debugger/show)
(use repl/terminal)
(use repl/options)
(use repl/assembly-options)
(use repl/cli-image)
(use repl/report)
(use repl/repl)

(define groups '("exit" "streams" "arguments" "memory" "files" "threads" "events" "clock" "random"))

(define machine-options
  (append
   '(("--memory" size "SIZE" "bytes the program may have mapped; suffix K, M or G (1G)")
     ("--call-depth" number "N" "activations, that is, calls under way (262144)")
     ("--registers" number "N" "registers that all windows together may reach (1048576)")
     ("--output" size "SIZE" "bytes that it may write to its streams; suffix as above")
     ("--allow" text "GROUP" "grant a group of host calls: clock, random")
     ("--deny" text "GROUP" "take one away: exit, streams, arguments, memory, files, threads, events")
     ("--dir" directory "DIR[:NAME][:ro]" "let it use the files in DIR, which it calls NAME; ro: reading only")
     ("--env" setting "NAME=VALUE" "set a variable of its environment, which is empty else")
     ("--seed" number "N" "make what `random` gives the same on every run")
     ("--turns" number "N" "draw how long the turns of threads are from the seed N"))
   (list raw-option)
   assembly-options))

(define debug-options
  (append
   '(("--core" text "FILE" "open the state that a program left behind, where it stopped")
     ("--replay" text "FILE" "open a recording, at its end, with its whole past"))
   machine-options))

(define run-options
  (append
   '(("--fuel" number "N" "stop after N instructions")
     ("--time" seconds "SECONDS" "stop after so much time; fractions are allowed"))
   machine-options
   '(("--parallel" count "N" "run its threads at the same time, on up to N threads of this computer")
     ("--core" text "FILE" "when the program does not end by itself, write its state")
     ("--record" text "FILE" "write what it gets from outside, for debug --replay")
     ("--profile" file-or-none "[=FILE]" "tell where its instructions went; FILE.svg gets a flame graph")
     ("--profile-every" count "N" "look at one instruction of N; 1 counts each, slowly")
     ("--heat-map" text "FILE" "draw how often memory was touched, as SVG")
     ("--hash" #f "" "print a hash of the final state on standard error")
     ("--statistics" #f "" "print instructions, seconds and memory for decoded code on standard error")
     ("--quiet" #f "" "no report of traps and reached limits; the status tells"))))

;; ---- loading ---------------------------------------------------------------------------------------

(define (check-groups names)
  (for-each
   (lambda (name)
     (if (not (member name groups))
         (usage-error "there is no group of host calls `" name "`" (did-you-mean name groups)
                      "; there are " (string-join groups ", "))))
   names))

(define (make-limited-machine options)
  (let ((machine (make-machine memory-limit: (option-value options "--memory")
                               register-limit: (option-value options "--registers")
                               call-depth-limit: (option-value options "--call-depth")
                               output-limit: (option-value options "--output")
                               random-seed: (option-value options "--seed"))))
    (for-each (lambda (option)
                (cond ((string=? (car option) "--allow") (machine-grant! machine (cdr option)))
                      ((string=? (car option) "--deny") (machine-revoke! machine (cdr option)))))
              options)
    (if (option-value options "--turns") (machine-schedule-set! machine 16384 (option-value options "--turns")))
    (if (option-value options "--parallel") (machine-host-threads-set! machine (option-value options "--parallel")))
    (machine-environment-set! machine (option-values options "--env"))
    (grant-directories-of! options machine)
    machine))

(define (grant-directories-of! options machine)
  (for-each (lambda (directory)
              (machine-directory! machine (car directory) (cadr directory) read-only: (caddr directory)))
            (option-values options "--dir")))

(define status-capability 5)
(define status-format 4)

;; Why a program could not be loaded, as an exit status.
(define (load-status exception path)
  (cond ((not (file-exists? path)) status-no-input)
        ((or (user-error? exception) (os-exception? exception)) status-no-input)
        ((or (asm-error? exception) (load-error? exception)) status-bad-data)
        ((and (vm-error? exception) (= (vm-error-status exception) status-capability)) status-no-permission)
        ((and (vm-error? exception) (= (vm-error-status exception) status-format)) status-bad-data)
        (else status-system)))

(define (check-directories directories)
  (with-exception-catcher
   (lambda (exception) (usage-error "--dir: " (error-line exception)))
   (lambda ()
     (let ((machine (make-machine)))
       (for-each (lambda (directory) (machine-directory! machine (car directory) (cadr directory))) directories)))))

(define (load-or-exit path options)
  (check-groups (append (option-values options "--allow") (option-values options "--deny")))
  (check-directories (option-values options "--dir"))
  (use-assembly-options! options)
  (with-exception-catcher
   (lambda (exception)
     (let ((status (load-status exception path)))
       (exit-with status
                  (if (or (user-error? exception) (load-error? exception)) "" (text path ": "))
                  (if (asm-error? exception) "cannot be assembled\n" "")
                  (error-line exception)
                  (if (= status status-no-permission) " (--allow grants what is not granted from the start)" ""))))
   (lambda ()
     (parameterize ((current-error-port ##stderr-port))
       (call-with-raw-option options
         (lambda () (load-program! path (lambda () (make-limited-machine options)))))))))

(define (file-and-arguments words)
  (if (null? words) (usage-error "no program is named"))
  words)

;; ---- run -------------------------------------------------------------------------------------------

(define (pause-status pause timed-out?)
  (case (pause-reason pause)
    ((halted) (bitwise-and (stop-exit-status (pause-stop pause)) 255))
    ((trap) status-trap)
    ((out-of-fuel) status-out-of-fuel)
    ((limit) status-out-of-output)
    ((waiting) status-waiting)
    ((interrupted) (if timed-out? status-out-of-time status-interrupted))
    (else status-internal)))

;; The debugger opens where someone can talk to it.
(define (debugger-wanted? pause options)
  (and (eq? (pause-reason pause) 'trap)
       (not (option-value options "--quiet"))
       (terminal-interactive?)))

(define (report pause options timed-out?)
  (if (not (or (eq? (pause-reason pause) 'halted) (option-value options "--quiet")))
      (parameterize ((current-output-port ##stderr-port))
        (if (eq? (pause-reason pause) 'trap)
            (begin (display "comet-vm: ") (trap-report pause))
            (say "comet-vm: " (if timed-out? "out of time: " "") (pause-line pause)))
        (force-output))))

;; "59 instructions, 77856 bytes, dropped 0 times"
(define (decoded-text)
  (let ((statistics (machine-statistics (the-machine))))
    (text (assq-value 'decoded-instructions statistics) " instructions, " (assq-value 'decoded-bytes statistics)
          " bytes, dropped " (assq-value 'decoded-drops statistics) " times")))

(define (report-run pause options seconds)
  (if (option-value options "--statistics")
      (say-on-stderr "instructions: " (pause-count pause) "\nseconds: "
                     (/ (round (* seconds 1e6)) 1e6)
                     "\ndecoded: " (decoded-text)))
  (if (option-value options "--hash") (say-on-stderr "hash: " (machine-hash (the-machine)))))

;; Files for those who look at the run later. The program's own end is what counts for the exit status.
(define (say-failure exception) (say-on-stderr "comet-vm: " (error-line exception)))

(define (record-to! path)
  (with-exception-catcher
   (lambda (exception) (exit-with status-system (error-line exception)))
   (lambda () (machine-record-to! (the-machine) path image: (loaded-image (the-program))))))

(define (profile-wanted? options) (or (option-value options "--profile") (option-value options "--heat-map")))

;; Runs of the thunk are counted in a profile, if there is one.
(define (call-profiled profile every thunk)
  (if profile
      (parameterize ((unobserved-run (lambda (fuel thread)
                                       (machine-profile! (the-machine) profile fuel: fuel thread: thread every: every))))
        (thunk))
      (thunk)))

(define (write-profile! profile options)
  (let ((wanted (option-value options "--profile")) (heat-map (option-value options "--heat-map")))
    (with-exception-catcher
     say-failure
     (lambda ()
       (if (string? wanted) (write-profile wanted profile))
       (if heat-map (write-program-heat-map heat-map profile))
       (if (eq? wanted #t)
           (parameterize ((current-output-port ##stderr-port))
             (newline)
             (show-profile profile)
             (force-output)))))))

(define (write-files! pause options)
  (let ((core (option-value options "--core")))
    (if (option-value options "--record")
        (with-exception-catcher say-failure (lambda () (machine-record-end! (the-machine) (pause-stop pause)))))
    (if (and core (not (eq? (pause-reason pause) 'halted)))
        (with-exception-catcher say-failure (lambda () (write-core! core))))))

(define (now) (time->seconds (current-time)))

;; What repeats a run needs threads that take turns.
(define (check-parallel options)
  (for-each (lambda (other)
              (if (and (option-value options "--parallel") (option-value options other))
                  (usage-error other " is for threads that take turns; leave out --parallel")))
            '("--turns" "--record")))

(define (cli-run options words)
  (check-parallel options)
  (let* ((words (file-and-arguments words)) (limit (option-value options "--time")))
    (session-streams-set! (current-session) '(0 1 2))
    ;; Where nobody can be asked to look at a trap, nobody looks at the past either.
    (timeline-wanted (and (terminal-interactive?) (not (option-value options "--parallel"))))
    (load-or-exit (car words) options)
    (let ((begin-time (now)))
      (if limit (machine-deadline-set! (the-machine) limit))
      (let* ((record (option-value options "--record"))
             (profile (and (profile-wanted? options) (make-profile)))
             (pause (call-profiled profile (option-value options "--profile-every")
                                   (lambda ()
                                     (run-program! (cdr words) (option-value options "--fuel")
                                                   (lambda () (if record (record-to! record)))))))
             (seconds (- (now) begin-time)))
        (if limit (machine-deadline-set! (the-machine) #f))
        (write-files! pause options)
        (if profile (write-profile! profile options))
        (report-run pause options seconds)
        (if (debugger-wanted? pause options)
            (open-debugger pause)
            (let ((timed-out? (and limit (>= seconds limit))))
              (report pause options timed-out?)
              (exit (pause-status pause timed-out?))))))))

(define (open-debugger pause)
  (start-repl (lambda () (show-pause pause))))

;; ---- debug -----------------------------------------------------------------------------------------

(define (cli-debug options words)
  (cond ((option-value options "--replay")
         => (lambda (path)
              (if (and (pair? words) (pair? (cdr words)))
                  (usage-error "--replay takes one image at most; `" (cadr words) "` is too much"))
              (open-or-exit path options (lambda () (load-recording! path (if (pair? words) (car words) #f)
                                                             (option-value options "--core"))))))
        ((option-value options "--core")
         => (lambda (path)
              (if (pair? words) (usage-error "a core has its program in it; `" (car words) "` is too much"))
              (open-or-exit path options (lambda () (load-core! path)))))
        ((and (pair? words) (left-behind? (car words)))
         (if (pair? (cdr words))
             (usage-error "what a program left behind takes no arguments; `" (cadr words) "` is too much"))
         (open-or-exit (car words) options (lambda () (load-left-behind! (car words)))))
        (else
         (let ((words (file-and-arguments words)))
           (load-or-exit (car words) options)
           (session-arguments-set! (current-session) (cdr words))
           (machine-arguments-set! (the-machine) words)
           (start-repl show-here)))))

;; What a program left behind is opened as it was: limits and grants come from the file, but no more memory
;; than the person gives, and no directory but theirs.
(define (open-or-exit path options open)
  (check-directories (option-values options "--dir"))
  (grant-directories! (lambda (machine)
                        (grant-directories-of! options machine)
                        (map cadr (option-values options "--dir"))))
  (allowed-memory (option-value options "--memory" (allowed-memory)))
  (let ((pause (with-exception-catcher
                (lambda (exception)
                  (exit-with (if (and (user-error? exception) (file-exists? path)) status-bad-data (load-status exception path))
                             (if (user-error? exception) "" (text path ": "))
                             (error-line exception)
                             (if (string-contains (error-line exception) "this one may only map") " (--memory sets that)" "")))
                open)))
    (start-repl (lambda ()
                  (if (recording-note) (say (recording-note)))
                  (show-pause pause)))))
