;; comet-vm disasm, objdump, nm, size, strip and ar: looking into images, objects and archives, and changing them.

(module repl/cli-binary)
(use scheme-lib/util)
(use asm/disassembly)
(use asm/object-format)
(use asm/object-read)
(use asm/archive)
(use asm/binary/parts)
(use asm/binary/symbols)
(use asm/binary/sizes)
(use asm/binary/disassemble)
(use asm/binary/object-source)
(use asm/binary/dump)
(use asm/binary/strip)
(use debugger/program)
(use repl/options)
(use repl/cli-files)

(define (some-files words)
  (if (null? words) (usage-error "no file is named"))
  words)

;; Does the action with each file; one that is damaged or not there is told of, and the process ends with the status of
;; the first of these when all the others were done.
(define (for-each-file words action)
  (let ((status #f))
    (for-each (lambda (path)
                (with-file-or path
                  (lambda () (action path))
                  (lambda (failed) (if (not status) (set! status failed)))))
              (some-files words))
    (if status (exit status))))

;; ---- looking -----------------------------------------------------------------------------------------

(define disasm-options
  '(("--source" #f "" "print a source that assembles to the same bytes (of an object, links to the same)")))

(define (cli-disasm options words)
  (let ((path (one-file words "file")) (source? (option-value options "--source")))
    (with-file path
      (lambda ()
        (let ((bytes (read-file-bytes path)))
          (cond ((and source? (object-bytes? bytes)) (display (object->source (bytes->object bytes path))))
                ((and source? (archive-bytes? bytes))
                 (usage-error "--source takes one program or object; `comet-vm ar x " path "` takes out the members"))
                ((or (object-bytes? bytes) (archive-bytes? bytes)) (binary-disasm bytes name: path))
                (else
                 (let ((image (loaded-image (read-program path))))
                   (if source? (display (image->source image)) (binary-disasm image name: path))))))))))

(define objdump-options
  '(("-f" #f "" "the entry and the host calls")
    ("-h" #f "" "the sections")
    ("-t" #f "" "the symbols")
    ("-r" #f "" "the relocations: what the linker computes in an object")
    ("-l" #f "" "the source lines")
    ("--expansions" #f "" "what macros made")
    ("--instructions" #f "" "the instructions that the program defines")
    ("--views" #f "" "how a debugger shows memory")))

;; The names of binary-tables, in the order of the options.
(define option-tables '(header sections symbols relocations lines expansions instructions views))

(define (cli-objdump options words)
  (let* ((chosen (filter-map (lambda (option table) (and (option-value options (car option)) table))
                             objdump-options option-tables))
         (tables (if (null? chosen) binary-tables chosen)))
    (for-each-file words (lambda (path) (binary-objdump path tables)))))

(define nm-options
  '(("-n" #f "" "sort by value and not by name")
    ("-u" #f "" "only symbols that are not defined")
    ("-g" #f "" "only symbols that other objects see")))

(define (cli-nm options words)
  (for-each-file words
    (lambda (path)
      (binary-nm path
                 numeric?: (option-value options "-n")
                 undefined?: (option-value options "-u")
                 global?: (option-value options "-g")
                 title?: (pair? (cdr words))))))

(define (cli-size options words)
  (some-files words)
  (binary-size '() title?: #t)
  (for-each-file words (lambda (path) (binary-size (list path) title?: #f))))

;; ---- strip -------------------------------------------------------------------------------------------

(define strip-options
  '(("-o" text "FILE" "where the result goes; FILE itself is changed unless given")))

(define (cli-strip options words)
  (let ((target (option-value options "-o")))
    (if (and target (pair? words) (pair? (cdr words)))
        (usage-error "-o takes one file at a time; `" (cadr words) "` is too much"))
    (for-each-file words
      (lambda (path) (replace-output (or target path) (binary-strip path))))))

;; ---- ar ----------------------------------------------------------------------------------------------

(define operations '("-r" "-t" "-x" "-d" "-p"))

(define ar-options
  '(("-r" #f "" "put each FILE in, in the place of a member of its name; make ARCHIVE where there is none")
    ("-t" #f "" "list the members, or those that are named")
    ("-x" #f "" "write the members, or those that are named, to files in the current folder")
    ("-d" #f "" "take the named members out")
    ("-p" #f "" "print the members, or those that are named, to standard output")
    ("-v" #f "" "say what is done; with -t, how long the members are")
    ("-c" #f "" "nothing: that an archive is made is never remarked upon")
    ("-s" #f "" "nothing: the linker needs no index")
    ("-D" #f "" "nothing: the same members always give the same bytes")))

(define (operations-in options) (filter (lambda (name) (option-value options name)) operations))

;; `ar rcs lib.a f.o` is `ar -rcs lib.a f.o`.
(define (cli-ar options words)
  (cond ((pair? (operations-in options)) (do-ar options words))
        ((and (pair? words) (every letter-of-ar? (string->list (car words))))
         (let ((parsed (parse-options (cons (string-append "-" (car words)) (cdr words)) ar-options #t)))
           (do-ar (append options (car parsed)) (cdr parsed))))
        (else (do-ar options words))))

(define (letter-of-ar? letter) (assoc (string #\- letter) ar-options))

(define (do-ar options words)
  (let ((wanted (operations-in options)))
    (if (not (= 1 (length wanted)))
        (usage-error "one of r, t, x, d and p says what is done, as in `comet-vm ar r lib.a f.o`"))
    (if (null? words) (usage-error "no archive is named"))
    (let ((path (car words)) (names (cdr words)) (operation (car wanted)) (verbose? (option-value options "-v")))
      (define (say-member letter)
        (lambda (name) (if verbose? (print-line letter " - " name))))
      (define (with-archive action)
        (with-file path (lambda () (action (bytes->archive (input-bytes path) path)))))
      (cond ((string=? operation "-r") (put-members path names (say-member "r")))
            ((string=? operation "-d")
             (if (null? names) (usage-error "no member is named"))
             (with-archive
               (lambda (archive)
                 (check-members archive names)
                 (replace-output path (archive->bytes (archive-without-members archive names)))
                 (for-each (say-member "d") names))))
            (else
             (with-archive
               (lambda (archive)
                 (check-members archive names)
                 (for-each (lambda (member)
                             (if (or (null? names) (member-of? names member))
                                 (do-member operation member verbose? (say-member "x"))))
                           (archive-members archive)))))))))

(define (member-of? names member)
  (any (lambda (name) (string=? name (member-name member))) names))

(define (check-members archive names)
  (let ((present (map member-name (archive-members archive))))
    (for-each (lambda (name)
                (if (not (any (lambda (other) (string=? name other)) present))
                    (exit-with status-no-input (archive-name archive) ": there is no member `" name "`"
                               (did-you-mean name present))))
              names)))

(define (do-member operation member verbose? say-extracted)
  (let ((name (member-name member)) (bytes (member-bytes member)))
    (cond ((string=? operation "-t")
           (print-line (if verbose? (text (right-aligned (u8vector-length bytes) 10) " ") "") name))
          ((string=? operation "-x")
           (write-output name bytes)
           (say-extracted name))
          (else
           (force-output)
           (write-subu8vector bytes 0 (u8vector-length bytes) (current-output-port))))))

(define (put-members path files say-put)
  (let* ((before (if (file-exists? path)
                     (with-file path (lambda () (bytes->archive (input-bytes path) path)))
                     (make-archive path '())))
         (members (map (lambda (file)
                         (with-file file (lambda () (make-member (path-strip-directory file) (input-bytes file)))))
                       files)))
    (for-each
     (lambda (member)
       (if (not (possible-member-name? (member-name member)))
           (usage-error (written (member-name member)) " cannot be the name of a member")))
     members)
    (replace-output path (archive->bytes (archive-with-members before members)))
    (for-each (lambda (member) (say-put (member-name member))) members)))
