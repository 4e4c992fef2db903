;; comet-vm asm and test; files in and out, for all commands.

(module repl/cli-files)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/test)
(use scheme-lib/loaders/loader)
(use asm/diagnostic)
(use asm/program)
(use asm/image)
(use asm/object)
(use asm/object-write)
(use asm/listing)
(use vm-ext/gambit/vm)
(use debugger/command)
(use repl/options)
(use repl/assembly-options)

(define asm-options
  (cons* '("-c" #f "" "write an object, of which comet-vm link makes a program with others")
         '("-o" text "FILE" "where it goes; SOURCE with .img for its ending, or .o with -c, unless given")
         '("--statistics" #f "" "say on standard error how many lines, passes, bytes and seconds it took")
         '("-l" #f "" "print the listing: addresses, bytes and what macros made; write an image only with -o")
         assembly-options))

(define (one-file words what)
  (cond ((null? words) (usage-error "no " what " is named"))
        ((pair? (cdr words)) (usage-error "one " what " at a time; `" (cadr words) "` is too much"))
        (else (car words))))

;; Why there is no file to be read, or #f.
(define (why-no-file path)
  (cond ((not (file-exists? path)) "there is no such file")
        ((eq? 'directory (file-type path)) "is a directory")
        (else #f)))

;; Does thunk with a file; what goes wrong ends the process with a status and a message.
(define (with-file path thunk)
  (with-file-or path thunk exit))

;; The same, but what goes wrong is told, and (failed status) is called behind it.
(define (with-file-or path thunk failed)
  (define (fail status . parts)
    (say-on-stderr "comet-vm: " (apply text parts))
    (failed status))
  (cond ((why-no-file path) => (lambda (why) (fail status-no-input path ": " why)))
        (else
         (with-exception-catcher
          (lambda (exception)
            (cond ((usage-error? exception) (raise exception))
                  ((asm-error? exception)
                   (say-on-stderr (string-trim (asm-error->text exception)))
                   (failed status-bad-data))
                  ((load-error? exception) (fail status-bad-data (load-error->text exception)))
                  ((user-error? exception) (fail status-no-input (user-error-message exception)))
                  ((vm-error? exception) (fail status-bad-data path ": " (vm-error-message exception)))
                  (else (fail status-system path ": " (exception->text exception)))))
          thunk))))

;; ---- asm -------------------------------------------------------------------------------------------

(define (cli-asm options words)
  (let* ((source (one-file words "source"))
         (object? (option-value options "-c"))
         (ending (if object? ".o" ".img"))
         (target (option-value options "-o" (string-append (path-strip-extension source) ending))))
    (if (string=? source target)
        (usage-error "the " (if object? "object" "image") " would overwrite its source " source
                     "; -o names another file"))
    (use-assembly-options! options)
    (let ((listing? (option-value options "-l"))
          (begin (real-time)))
      (if (and object? listing?) (usage-error "-l lists a program: it does not go with -c"))
      (let ((result (with-file source
                      (lambda ()
                        (parameterize ((current-error-port ##stderr-port))
                          (if object? (asm-object-file source) (asm-file source)))))))
        (if (and (option-value options "--statistics") (not object?))
            (say-statistics source result (- (real-time) begin)))
        (if listing? (display (program-listing result)))
        (if (or (option-value options "-o") (not listing?))
            (write-output target (if object?
                                     (object->bytes result)
                                     (image->bytes (program-image result)))))))))

(define (say-statistics source program seconds)
  (let ((lines (program-source-length program))
        (passes (program-passes program)))
    (say-on-stderr source ": " lines " lines, " passes (if (= passes 1) " pass, " " passes, ")
                   (fold (lambda (section sum) (+ sum (u8vector-length (program-section-bytes section)))) 0
                         (program-sections program))
                   " bytes, " (/ (round (* 100. seconds)) 100) " seconds")))

(define (input-bytes path) (with-file path (lambda () (read-file-bytes path))))

;; Does thunk, which writes to a file; ends the process where that fails.
(define (call-with-target target thunk)
  (with-exception-catcher
   (lambda (exception)
     (exit-with status-system target " cannot be written: "
                (cond ((no-such-file-or-directory-exception? exception) "there is no such directory")
                      ((os-exception? exception) (err-code->string (os-exception-code exception)))
                      (else (exception->text exception)))))
   thunk))

;; Bytes, or a text, to a file.
(define (write-output target content)
  (call-with-target target
    (lambda () (write-file-bytes target (if (string? content) (string->utf8 content) content)))))

;; The same where the file is there already and worth keeping: it is whole at every moment.
(define (replace-output target bytes)
  (if (and (file-exists? target) (eq? 'regular (file-info-type (file-info target #f))))
      (call-with-target target
        (lambda ()
          (let ((beside (temporary-path-beside target)))
            (write-file-bytes beside bytes)
            (rename-file beside target))))
      (write-output target bytes)))

(define (temporary-path-beside target)
  (let loop ((n 0))
    (let ((path (text target "." n "~")))
      (if (file-exists? path) (loop (+ n 1)) path))))

;; ---- test ------------------------------------------------------------------------------------------

(define test-options
  '(("--filter" text "TEXT" "only the tests in whose name TEXT occurs, groups included")
    ("--tap" #f "" "write TAP 14, for programs that read results")
    ("--verbose" #f "" "show the tests that pass, too")
    ("--seed" number "N" "the number that generated inputs follow from")))

(define (cli-test options words)
  (if (null? words) (usage-error "no test file is named"))
  (for-each (lambda (path)
              (cond ((why-no-file path) => (lambda (why) (exit-with status-no-input path ": " why)))))
            words)
  (test-filter (option-value options "--filter"))
  (test-style (if (option-value options "--tap") 'tap 'text))
  (test-verbose (or (option-value options "--verbose") (test-verbose)))
  (test-seed (option-value options "--seed" (test-seed)))
  (eval '(use scheme-lib/test))
  (for-each test-file words)
  (test-finish))
