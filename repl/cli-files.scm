;; comet-vm asm, disasm and test: from files to files and listings.

(module repl/cli-files)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/machine)
(use scheme-lib/test)
(use asm/diagnostic)
(use asm/program)
(use asm/image)
(use asm/object)
(use asm/object-format)
(use asm/listing)
(use asm/disassembly)
(use vm-ext/gambit/vm)
(use debugger/command)
(use debugger/program)
(use debugger/show)
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

;; Does thunk with a file; what goes wrong ends the process with a status and a message.
(define (with-file path thunk)
  (if (not (file-exists? path)) (exit-with status-no-input path ": there is no such file"))
  (with-exception-catcher
   (lambda (exception)
     (cond ((asm-error? exception)
            (say-on-stderr (string-trim (asm-error->text exception)))
            (exit status-bad-data))
           ((user-error? exception) (exit-with status-no-input (user-error-message exception)))
           ((vm-error? exception) (exit-with status-bad-data path ": " (vm-error-message exception)))
           (else (exit-with status-system path ": " (exception->text exception)))))
   thunk))

;; ---- asm -------------------------------------------------------------------------------------------

(define (cli-asm options words)
  (let* ((source (one-file words "source"))
         (object? (option-value options "-c"))
         (target (option-value options "-o" (string-append (path-strip-extension source) (if object? ".o" ".img")))))
    (if (string=? source target)
        (usage-error "the " (if object? "object" "image") " would overwrite its source " source "; -o names another file"))
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

;; Bytes, or a text, to a file.
(define (write-output target content)
  (with-exception-catcher
   (lambda (exception)
     (exit-with status-system target " cannot be written: "
                (cond ((no-such-file-or-directory-exception? exception) "there is no such directory")
                      ((os-exception? exception) (err-code->string (os-exception-code exception)))
                      (else (exception->text exception)))))
   (lambda () (write-file-bytes target (if (string? content) (string->utf8 content) content)))))

;; ---- disasm ----------------------------------------------------------------------------------------

(define execute-bit 4)

(define (show-labels symbols address)
  (for-each (lambda (symbol) (if (= (cdr symbol) address) (say (car symbol) ":"))) symbols))

(define (show-code bytes base symbols image)
  (let ((length (u8vector-length bytes)))
    (let loop ((offset 0))
      (if (< offset length)
          (let ((shown (vm-disassemble bytes (+ base offset) offset length image)))
            (show-labels symbols (+ base offset))
            (say "    " (hex-address (+ base offset)) "  "
                 (string-pad-right (u8vector->hex (subu8vector bytes offset (min (+ offset (car shown) ) (+ offset 10) length))) 20)
                 "  " (cdr shown))
            (loop (+ offset (max 1 (car shown)))))))))

;; Sixteen bytes a line, fewer where a symbol comes between.
(define (show-data bytes base symbols image)
  (let ((length (u8vector-length bytes)))
    (let loop ((offset 0))
      (if (< offset length)
          (let* ((address (+ base offset))
                 (next (fold (lambda (symbol end) (if (< address (cdr symbol) end) (cdr symbol) end))
                             (+ base (min length (+ offset 16)))
                             symbols))
                 (line (subu8vector bytes offset (- next base))))
            (show-labels symbols address)
            (say "    " (hex-address address) "  "
                 (string-pad-right (string-join (map (lambda (byte) (hex byte 2)) (u8vector->list line)) " ") 48)
                 (list->string (map (lambda (byte) (if (< 31 byte 127) (integer->char byte) #\.)) (u8vector->list line))))
            (loop (- next base)))))))

;; section: #(name address bytes memory-length protection)
(define (show-section section symbols image)
  (let* ((address (vector-ref section 1))
         (bytes (vector-ref section 2))
         (zeros (- (vector-ref section 3) (u8vector-length bytes)))
         (end (+ address (vector-ref section 3)))
         (inside (filter (lambda (symbol) (and (<= address (cdr symbol)) (< (cdr symbol) end))) symbols)))
    (say "section " (vector-ref section 0) ", " (hex-address address) ", " (vector-ref section 3) " bytes, "
         (protection->text (vector-ref section 4)))
    ((if (= 0 (bitwise-and (vector-ref section 4) execute-bit)) show-data show-code) bytes address inside image)
    (if (> zeros 0)
        (begin
          (for-each (lambda (symbol) (if (>= (cdr symbol) (+ address (u8vector-length bytes)))
                                         (say (car symbol) ":  " (hex-address (cdr symbol)))))
                    inside)
          (say "    " (hex-address (+ address (u8vector-length bytes))) "  " zeros " zero bytes")))
    (newline)))

(define (show-image image path)
  (let ((symbols (map (lambda (symbol) (cons (vector-ref symbol 0) (vector-ref symbol 1))) (image-symbols image))))
    (say path ": entry " (hex-address (image-entry image))
         (if (null? (image-imports image)) "" (text ", host calls " (string-join (image-imports image) ", "))))
    (newline)
    (for-each
     (lambda (row)
       (say "instruction " (vector-ref row 1) ": " (vector-ref row 0) " " (vector-ref row 2) " = " (vector-ref row 5)))
     (image-definitions image))
    (for-each (lambda (section) (show-section section symbols image)) (image-sections image))))

(define disasm-options
  '(("--source" #f "" "print a source that assembles to the same bytes, with labels where code jumps")))

(define (cli-disasm options words)
  (let ((path (one-file words "file")))
    (with-file path
      (lambda ()
        (let ((image (loaded-image (read-program path))))
          (if (option-value options "--source")
              (display (image->source image))
              (show-image image path)))))))

;; ---- test ------------------------------------------------------------------------------------------

(define test-options
  '(("--filter" text "TEXT" "only the tests in whose name TEXT occurs, groups included")
    ("--tap" #f "" "write TAP 14, for programs that read results")
    ("--verbose" #f "" "show the tests that pass, too")
    ("--seed" number "N" "the number that generated inputs follow from")))

(define (cli-test options words)
  (if (null? words) (usage-error "no test file is named"))
  (for-each (lambda (path)
              (if (not (file-exists? path)) (exit-with status-no-input path ": there is no such file")))
            words)
  (test-filter (option-value options "--filter"))
  (test-style (if (option-value options "--tap") 'tap 'text))
  (test-verbose (or (option-value options "--verbose") (test-verbose)))
  (test-seed (option-value options "--seed" (test-seed)))
  (eval '(use scheme-lib/test))
  (for-each test-file words)
  (test-finish))
