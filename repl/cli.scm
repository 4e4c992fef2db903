;; The command line of comet-vm: which part of it a word names, --help, and mistakes.
;;
;;   (cli-main '("run" "hello.s"))

(module repl/cli)
(use scheme-lib/util)
(use vm-ext/gambit/vm)
(use debugger/command)
(use debugger/show)
(use repl/options)
(use repl/signals)
(use repl/repl)
(use repl/cli-run)
(use repl/cli-files)
(use repl/cli-image)
(use repl/cli-link)
(use repl/cli-binary)
(use repl/cli-dap)
(use repl/cli-wast)

(define-type part
  constructor: make-part
  name usage summary text options action)

(define (cli-repl options words)
  (cond ((null? words) (start-repl))
        ((pair? (cdr words)) (usage-error "one file at a time; `" (cadr words) "` is too much"))
        ((not (file-exists? (car words))) (exit-with status-no-input (car words) ": there is no such file"))
        (else (start-repl (lambda () (run-command (text "load " (written (car words)))))))))

(define (cli-version options words) (say "comet-vm " (vm-version)))

(define parts
  (list
   (make-part "repl" "repl [FILE]" "the prompt; FILE is loaded first"
              "Opens the prompt, where lines are commands (help lists them) or Scheme. FILE, a program of any format,
is loaded first. Without a terminal the lines are read from standard input, and the exit status is 1
where one of them failed."
              '() cli-repl)
   (make-part "run" "run [OPTION]... FILE [ARGUMENT]..." "runs a program"
              "Runs the program in FILE: a source, an image, or of another format, which its content tells (`formats` at the
prompt lists them). It sees the standard streams and its arguments. When it traps and there is a terminal, the debugger opens at the fault; else a report is printed.

Exit status: that of the program, modulo 256, or
   64  the command line is wrong         123  --fuel is used up
   65  FILE is not a valid program       124  --time is over
   66  FILE cannot be read               125  every thread waits
   71  the system or a limit refused     130  interrupted (Ctrl-C)
   77  FILE needs host calls that it     132  the program trapped
       was not allowed"
              run-options cli-run)
   (make-part "debug" "debug [OPTION]... FILE [ARGUMENT]..." "opens the prompt at a program's first instruction"
              "Loads the program in FILE, of any format, gives it the arguments, and opens the prompt at its
first instruction. Or opens what a program left behind: a core, where it stopped, or a recording, at its end and
with its past. These have the program in them, with its limits and what it was granted; --replay takes the image
as well. With both, the core must be of the recorded run."
              debug-options cli-debug)
   (make-part "dap" "dap [OPTION]..." "serves an editor by the Debug Adapter Protocol"
              "Serves an editor that debugs by the Debug Adapter Protocol, over standard input and output or a
port of this host. What to launch, and with which options, the editor says."
              dap-options cli-dap)
   (make-part "asm" "asm [OPTION]... SOURCE" "assembles a source into an image or an object"
              "Assembles SOURCE and writes an image, which comet-vm and comet-vm-no-scheme run; with -c, an object for
comet-vm link. The exit status is 65 where SOURCE has mistakes."
              asm-options cli-asm)
   (make-part "image" "image [OPTION]... FILE" "converts a program of any format"
              "Writes the program in FILE, of any format that a loader knows, as an image, which comet-vm-no-scheme runs; or
as a file of memory contents. The exit status is 65 where FILE is damaged."
              image-options cli-image)
   (make-part "link" "link [OPTION]... FILE..." "joins objects and archives into an image"
              "Links objects (of comet-vm asm -c) and archives of them (of ar) and writes an image. Of an
archive those members take part that define what others use. The exit status is 65 where a symbol is
not defined, or twice, or a FILE is damaged."
              link-options cli-link)
   (make-part "disasm" "disasm [--source] FILE" "lists sections, symbols and instructions"
              "Lists what is in FILE, an object, an archive or a program of any format: sections with symbols,
instructions and data. What the linker computes in an object is shown with the symbols that it depends on."
              disasm-options cli-disasm)
   (make-part "objdump" "objdump [OPTION]... FILE..." "prints the tables of images and objects"
              "Prints what is in each FILE, an image, an object, an archive of them or a program of another format, beside
the bytes themselves: what the options choose, or all there is."
              objdump-options cli-objdump)
   (make-part "nm" "nm [OPTION]... FILE..." "lists symbols"
              "Lists the symbols of each FILE, an image, an object, an archive or a program of another format: value,
letter, name. In an object the value counts from the beginning of the section.

Letters: T code, D data, B zeros, R read-only data, A a number, I what the linker computes; small where no
other object sees the symbol. U undefined, W weak, w weak and undefined."
              nm-options cli-nm)
   (make-part "size" "size FILE..." "tells how much room programs take"
              "Prints for each FILE, an image, an object, an archive or a program of another format, how many bytes it
takes in memory: text cannot be written, data can; bss are zeros that are not in the file."
              '() cli-size)
   (make-part "strip" "strip [-o FILE] FILE..." "leaves out what only people look at"
              "Takes symbols, source lines, expansions and views out of images, and out of objects what linking
does not need. What a program does, and what an object links to, stays the same."
              strip-options cli-strip)
   (make-part "ar" "ar OPTION... ARCHIVE [FILE]..." "makes archives of objects, and changes them"
              "Makes, lists and changes ARCHIVE, as ar of other systems does: `comet-vm ar rcs lib.a f.o g.o`. The
dash before the letters may be left out."
              ar-options cli-ar)
   (make-part "test" "test [OPTION]... FILE..." "runs test files written in Scheme"
              "Loads each FILE, Scheme that uses scheme-lib/test, and prints how many tests passed and failed.

Exit status: 0 when all passed, or
    1  a test failed, a file ended in an error, or no test has TEXT in its name
   64  the command line is wrong
   66  a FILE is not there"
              test-options cli-test)
   (make-part "wast" "wast FILE..." "runs WebAssembly's scripts of assertions"
              "Runs what wast2json makes of WebAssembly scripts, each FILE one of them or a folder of them: prints each
assertion that fails, with its line in the script, and how many passed. Modules in text are left out.

Exit status: 0 when all passed, or 1"
              '() cli-wast)
   (make-part "version" "version" "prints the version" "Prints the version." '() cli-version)))

(define (part-named name) (find (lambda (part) (string=? (part-name part) name)) parts))

(define (part-or-error name)
  (or (part-named name) (usage-error "`" name "` is not a command" (did-you-mean name (names)))))

;; ---- help ------------------------------------------------------------------------------------------

(define (show-help)
  (say "Usage: comet-vm COMMAND ...   or   comet-vm [FILE]")
  (say "Comet VM: assemble, run and debug programs. Without a command, the prompt opens.")
  (newline)
  (for-each (lambda (part) (say "  " (string-pad-right (part-usage part) 40) (part-summary part))) parts)
  (newline)
  (say "comet-vm COMMAND --help tells more of each."))

(define (show-part-help part)
  (say "Usage: comet-vm " (part-usage part))
  (say (part-text part))
  (if (pair? (part-options part))
      (begin
        (newline)
        (say "Options (N: decimal, or hexadecimal with 0x):")
        (for-each (lambda (option)
                    (let ((usage (text (car option) " " (caddr option))))
                      (say "  " (if (> (string-length usage) 18) usage (string-pad-right usage 18)) " " (cadddr option))))
                  (part-options part)))))

;; ---- main ------------------------------------------------------------------------------------------

(define help-option '("--help" #f "" "print this and exit"))

(define (do-part part words)
  (let* ((anywhere? (not (memq (part-action part) (list cli-run cli-debug))))
         (parsed (parse-options words (cons help-option (part-options part)) anywhere?)))
    (if (option-value (car parsed) "--help")
        (show-part-help part)
        ((part-action part) (car parsed) (cdr parsed)))))

(define (names) (map part-name parts))

(define (do-words words)
  (cond ((null? words) (cli-repl '() '()))
        ((member (car words) '("--help" "-h" "help"))
         (if (pair? (cdr words)) (show-part-help (part-or-error (cadr words))) (show-help)))
        ((string=? (car words) "--version") (cli-version '() '()))
        ((part-named (car words)) => (lambda (part) (do-part part (cdr words))))
        ((file-exists? (car words)) (cli-repl '() words))
        ((char=? #\- (string-ref (string-append (car words) " ") 0))
         (usage-error "there is no option " (car words) (did-you-mean (car words) '("--help" "--version"))))
        (else
         (usage-error "`" (car words) "` is neither a command nor a file" (did-you-mean (car words) (names))))))

(define (closed? exception)
  (and (os-exception? exception) (not (no-such-file-or-directory-exception? exception))))

;; What tells more of the mistake in a command line.
(define (help-words words)
  (if (and (pair? words) (part-named (car words)))
      (text "comet-vm " (car words) " --help")
      "comet-vm --help"))

;; Never returns. Owns the top level: Gambit's own loses messages where there is no terminal.
(define (cli-main words)
  (exit-when-output-closes!)
  (with-exception-catcher
   (lambda (exception)
     (cond ((usage-error? exception)
            (exit-with status-usage (usage-error-message exception) "; see " (help-words words)))
           ((closed? exception) (##exit-with-err-code-no-cleanup (+ 1 status-output-closed)))
           (else (exit-with status-internal (error-line exception)))))
   (lambda ()
     (do-words words)
     (force-output)
     (exit 0))))
