;; Commands: load, run, reset, quit.

(module debugger/program-commands)
(use scheme-lib/util)
(use debugger/command)
(use debugger/session)
(use debugger/program)
(use debugger/target)
(use debugger/value)
(use debugger/run)
(use debugger/left-behind)
(use debugger/show)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/raw)

(define-command (load (file file) #!optional (address count #f))
  "Loads a program and stands at its first instruction. FILE is an assembly source, an image, or of another format \
that a loader knows: `formats` lists them; with ADDRESS, bytes that are to stand there. Breakpoints stay where what \
they were set at exists in the new program: after a change to the source, load it again. A core or a recording is \
opened where it ends."
  group: program repeat: #f
  (cond (address (say-loaded (parameterize ((loader-to-use (raw-loader address))) (load-program! file))))
        ((left-behind? file) (show-pause (load-left-behind! file)))
        (else (say-loaded (load-program! file)))))

(define (say-loaded lost)
  (say "loaded " (loaded-name (the-program)) ", entry " (where-text (loaded-entry (the-program))))
  (if (pair? lost)
      (say "breakpoints without a place in it were removed: " (string-join lost ", "))))

(define-command (formats)
  "Lists the formats of programs, in the order in which a file is tried. define-loader adds one."
  group: program repeat: #f
  (columns (map (lambda (loader) (list (symbol->string (loader-name loader)) (loader-text loader))) (loaders))))

(define-command (run #!rest (arguments string))
  "Runs the program from its beginning. It gets ARGUMENTS, or those of the run before when there are none. \
Memory and registers are as they were loaded; breakpoints stay. Ctrl-C stops it."
  aliases: (r) group: running repeat: #f
  (show-pause (run-program! arguments)))

(define-command (reset)
  "Brings the program back to how it was loaded, without running it."
  group: program repeat: #f
  (the-machine)
  (restart-program!)
  (show-here))

(define-command (core (file file))
  "Writes the program's state to a file. FILE is opened by comet-vm debug --core, where the program stands now."
  group: program repeat: #f
  (the-machine)
  (write-core! file)
  (say "core " file ", " (grouped (target-count)) " instructions"))
