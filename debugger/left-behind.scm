;; What a program left behind: core files and recordings, which are states of machines in files.
;;
;;   (load-core! "crash.core")        where it stopped; only the state, no past
;;   (load-recording! "run.replay")   at its end, with its whole past: reverse-step and the rest work

(module debugger/left-behind)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/image)
(use scheme-lib/state)
(use scheme-lib/loaders/state)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/value)
(use debugger/run)
(use debugger/show)

;; Bytes that a program from a file may map, whatever the file says.
(define allowed-memory (make-parameter (expt 2 30)))

;; Gives a machine the directories in which a program's files are opened again, and their names.
(define grant-directories! (make-parameter (lambda (machine) '())))

(define (note-missing-directories state granted)
  (for-each (lambda (name)
              (say "the program had files of the directory " (visible-text name)
                   ", which it is not given here; comet-vm debug --dir DIR:" (visible-text name) " FILE does"))
            (remove (lambda (name) (member name granted)) (state-directories state))))

(define (read-state-file path)
  (if (not (file-exists? path)) (raise-user-error path ": there is no such file"))
  (if (eq? (file-type path) 'directory) (raise-user-error path ": is a directory, not a state"))
  (parameterize ((file-size-limit (max (file-size-limit) (* 2 (allowed-memory)))))
    (read-state path)))

;; The image of the file, or of what the person named, which must be the same.
(define (image-of state path image-path)
  (let ((own (state-image state)))
    (if image-path
        (let ((image (loaded-image (read-program image-path))))
          (if (not (equal? (state-image-hash state) (image-hash image)))
              (raise-user-error image-path ": is not the program of " path))
          image)
        own)))

;; A new machine with the state in it. Where the image is known, `run` begins the program anew.
(define (enter-state! path state image)
  (let ((session (the-session)) (machine (make-machine-for-state state (allowed-memory))))
    (session-program-set! session (and image (make-loaded path (path-strip-directory path) image)))
    (session-snapshots-set! session '())
    (let ((granted ((grant-directories!) machine)))
      (if (not (state-recording? state)) (note-missing-directories state granted)))
    (if image (machine-load! machine image))
    (enter-machine! session machine)
    (session-arguments-set! session (let ((words (state-arguments state))) (if (pair? words) (cdr words) '())))
    (machine-restore-state! machine state)
    (session-thread-set! session (state-thread state))))

;; A pause like the one in which the file was written; of breakpoints and the like it knows nothing.
(define (pause-as-saved! stop)
  (if (and stop (memq (stop-reason stop) '(halted trap out-of-fuel interrupted host-call waiting limit)))
      (conclude! (stop-reason stop) stop)
      (conclude! 'step #f)))

;; ---- core files ------------------------------------------------------------------------------------

;; Stands where the program stopped. Gives the pause.
(define (load-core! path)
  (let ((state (read-state-file path)))
    (if (state-recording? state) (raise-user-error path ": is a recording; debug --replay opens it"))
    (enter-state! path state (image-of state path #f))
    (timeline-begin!)
    (breakpoints-install!)
    (pause-as-saved! (state-stop state (the-machine)))))

;; The state of the session's machine, as the session's last pause found it.
(define (write-core! path)
  (let* ((session (the-session)) (program (session-program session)) (pause (session-stop session)))
    (machine-save (the-machine) path
                  image: (and program (loaded-image program))
                  stop: (and pause (= (pause-count pause) (target-count)) (pause-stop pause)))))

;; ---- either --------------------------------------------------------------------------------------------

(define (left-behind? path)
  (and (file-exists? path) (eq? (file-type path) 'regular)
       (let ((bytes (make-u8vector 8 0)))
         (call-with-input-file path (lambda (port) (read-subu8vector bytes 0 8 port)))
         (state-bytes? bytes path))))

;; Stands where the core or recording ends. Gives the pause.
(define (load-left-behind! path)
  ((if (state-recording? (read-state-file path)) load-recording! load-core!) path))

;; ---- recordings ------------------------------------------------------------------------------------

;; What is to be said about the recording that was opened last, or #f.
(define recording-note (make-parameter #f))

;; Runs from the beginning to where the recording ends, which costs what the run cost, and stands there. Gives
;; the pause. `core`: the path of a core file of the same run, or #f.
(define (load-recording! path #!optional (image-path #f) (core #f))
  (let ((state (read-state-file path)) (end-state (and core (read-state-file core))))
    (if (not (state-recording? state)) (raise-user-error path ": is no recording; debug --core opens it"))
    (enter-state! path state (image-of state path image-path))
    (timeline-begin! (lambda () (machine-replay! (the-machine) state (timeline-log-limit))))
    (let ((pause (run-to-end! state)))
      (breakpoints-install!) ; not on the way, only from now on
      (recording-note (if (eq? (pause-reason pause) 'interrupted) (rest-of-recording state) (difference state pause)))
      (if (and end-state (not (equal? (state-hash end-state) (machine-hash (the-machine)))))
          (raise-user-error core ": is not of the run that " path " recorded"))
      pause)))

(define (run-to-end! state)
  (let* ((end (state-end state)) (stop (and (> end (target-count)) (run-on-to! end))))
    (if (and stop (not (eq? (stop-reason stop) 'out-of-fuel)))
        (conclude-stop! stop)
        (let ((recorded (state-stop state (the-machine))))
          ;; The instruction that trapped was not executed, so the count alone does not come to it.
          (if (and recorded (memq (stop-reason recorded) '(trap host-call)))
              (conclude-stop! (timeline-run! 1))
              (conclude! (if recorded (stop-reason recorded) 'step) recorded))))))

;; What a file says about its length can be anything, and be true: a program may run for days. So whoever waits is told.
(define patience (make-parameter 1)) ; seconds
(define stretch (expt 2 24))

(define (run-on-to! end)
  (let ((begin-time (real-time)) (begin-count (target-count)))
    (let loop ((told? #f))
      (let* ((stop (timeline-run! (min stretch (- end (target-count)))))
             (seconds (- (real-time) begin-time))
             (left (- end (target-count))))
        (cond ((or (not (eq? (stop-reason stop) 'out-of-fuel)) (= left 0)) stop)
              ((or told? (< seconds (patience))) (loop told?))
              (else
               (display (text "the recording goes to " (grouped end) " instructions, which takes some "
                              (duration (/ (* seconds left) (- (target-count) begin-count)))
                              "; Ctrl-C stops on the way\n"))
               (force-output)
               (loop #t)))))))

(define (duration seconds)
  (let loop ((units '(("seconds" . 60) ("minutes" . 60) ("hours" . 24) ("days" . 365) ("years" . #f))) (n seconds))
    (if (and (cdar units) (> n (* 2 (cdar units))))
        (loop (cdr units) (/ n (cdar units)))
        (text (grouped (inexact->exact (ceiling n))) " " (caar units)))))

(define (rest-of-recording state)
  (text "the recording goes on to " (grouped (state-end state)) " instructions; `continue` goes on with it"))

;; How this run and the recorded one differ, in a line; #f: they do not.
(define (difference state pause)
  (let ((recorded (state-stop state (the-machine))))
    (cond ((state-lost? state) "the recording ends here, where the program was changed from outside")
          ((not recorded) "the recording ends here, without saying how the program ended")
          ((not (and (eq? (stop-reason recorded) (pause-reason pause))
                     (= (stop-count recorded) (machine-count (the-machine) (stop-thread recorded)))
                     (equal? (state-hash state) (machine-hash (the-machine)))))
           (text "this is not where the recorded run ended: " (stop->text recorded (the-machine)) ", after "
                 (stop-count recorded) " instructions"))
          (else #f))))
