;; The module registry: finds libraries, loads each one once, and hands out their headers.
;;
;; A library is two files: DIR/NAME#.scm, the header (a ##namespace form that names the exports, and
;; macros), and DIR/NAME.scm, the body, which begins with (module DIR/NAME). Its name is its path from a
;; directory of the search path. Gambit 4.9.3 has no modules of its own; a namespace for each library,
;; and this table, do what is needed whether a library is interpreted, compiled, or linked in.
;;
;;   $ gsi -e '(load "scheme-lib/boot.scm")' -
;;   > (use scheme-lib/machine)
;;
;; The search path is the project's root, then the directories in COMET_PATH. A compiled library
;; (build/scheme/DIR/NAME.o1 below the same directory) is taken when it is not older than its source.
;; COMET_LOAD=source takes sources only, COMET_LOAD=compiled compiled libraries only; COMET_BUILD names a
;; build folder other than build.

(##namespace ("boot#"))
(##include "~~lib/gambit#.scm")

(define (global-value name)
  (##global-var-ref (##make-global-var name)))

;; name -> the forms of its header. A second load of this file keeps what is there.
(define provided
  (let ((before (global-value 'boot#provided)))
    (if (##unbound? before) (make-table test: eq?) before)))

;; ---- where libraries are ---------------------------------------------------------------------------

(define (parent-directory directory)
  (path-directory (path-strip-trailing-directory-separator directory)))

(define (has-boot? directory)
  (file-exists? (path-expand "scheme-lib/boot.scm" directory)))

(define (directory-above directory)
  (let ((parent (parent-directory directory)))
    (cond ((has-boot? directory) directory)
          ((string=? parent directory) #f)
          (else (directory-above parent)))))

;; The project's folder, or #f where there is none: an installed executable has its libraries linked in.
(define (find-root)
  (let ((named (getenv "COMET_ROOT" #f))
        (source (parent-directory (path-directory (path-expand (this-source-file))))))
    (cond (named (path-expand named))
          ((has-boot? source) source)
          (else (directory-above (current-directory))))))

(define (split-at-colons text)
  (let loop ((i (string-length text)) (end (string-length text)) (parts '()))
    (cond ((= i 0) (if (= end 0) parts (cons (substring text 0 end) parts)))
          ((char=? (string-ref text (- i 1)) #\:)
           (loop (- i 1) (- i 1) (if (= i end) parts (cons (substring text i end) parts))))
          (else (loop (- i 1) end parts)))))

(define (search-path)
  (let ((root (find-root))
        (others (map path-expand (split-at-colons (getenv "COMET_PATH" "")))))
    (if root (cons root others) others)))

(define (file-in directory name ending)
  (path-expand (string-append (symbol->string name) ending) directory))

(define (compiled-file-in directory name)
  (file-in (path-expand "scheme" (path-expand (getenv "COMET_BUILD" "build") directory)) name ".o1"))

(define (first-file make-file)
  (let loop ((directories (search-path)))
    (and (pair? directories)
         (let ((file (make-file (car directories))))
           (if (and file (file-exists? file)) file (loop (cdr directories)))))))

(define (modification-time file)
  (if (file-exists? file) (time->seconds (file-last-modification-time file)) 0))

(define (fresh? compiled source header)
  (let ((time (modification-time compiled)))
    (and (>= time (modification-time source)) (>= time (modification-time header)))))

;; A body that holds C says so in its first form, (module NAME compiled-only), and has no source to run.
(define (compiled-only? source)
  (let ((form (call-with-input-file source read)))
    (and (pair? form) (pair? (cdr form)) (memq 'compiled-only (cddr form)) #t)))

(define (loadable-file-in directory name)
  (let ((source (file-in directory name ".scm"))
        (header (file-in directory name "#.scm"))
        (compiled (compiled-file-in directory name))
        (choice (getenv "COMET_LOAD" "newest")))
    (define (usable-compiled)
      (and (file-exists? compiled) compiled))
    (cond ((not (file-exists? source)) (usable-compiled))
          ((compiled-only? source) (usable-compiled))
          ((string=? choice "source") source)
          ((string=? choice "compiled") (usable-compiled))
          ((and (usable-compiled) (fresh? compiled source header)) compiled)
          (else source))))

(define (folders)
  (let ((path (search-path)))
    (if (null? path)
        "any folder, for the search path is empty"
        (apply string-append
               (car path)
               (map (lambda (directory) (string-append ", " directory)) (cdr path))))))

(define (not-found name)
  (let ((source (first-file (lambda (directory) (file-in directory name ".scm"))))
        (text (symbol->string name)))
    (error
     (if source
         (string-append "library " text " must be compiled before it is used (" source
                        "): run `make scheme` in the project's folder"
                        (if (getenv "COMET_LOAD" #f) ", or unset COMET_LOAD" ""))
         (string-append "library " text " was not found: there is no " text ".scm in " (folders)
                        ". A library's name is its path from one of these; COMET_PATH adds folders.")))))

;; ---- loading ---------------------------------------------------------------------------------------

(define (provide! name header)
  (table-set! provided name header))

(define (provided? name)
  (pair? (table-ref provided name '())))

(define (modules)
  (map car (table->list provided)))

;; Plain `load` of a compiled file warns of variables that a library defines only later.
(define (load-quietly file)
  (if (= (system-version) 409003)
      (##load file (lambda (cte source) #f) #t #t #f #t)
      (load file)))

(define loading '())

(define (end-loading! name)
  (set! loading (let without ((names loading))
                  (cond ((null? names) '())
                        ((eq? (car names) name) (cdr names))
                        (else (cons (car names) (without (cdr names))))))))

(define (load-module! name)
  (let ((file (or (first-file (lambda (directory) (loadable-file-in directory name))) (not-found name)))
        (outer-handler (current-exception-handler)))
    (set! loading (cons name loading))
    ;; The handler outside is called where the error is, so that a backtrace shows it.
    (with-exception-handler
     (lambda (exception)
       (end-loading! name)
       (table-set! provided name)
       (outer-handler exception))
     (lambda () (load-quietly file)))
    (end-loading! name)
    (if (not (provided? name))
        (error (string-append file " does not begin with (module " (symbol->string name) ")")))))

(define (require! name)
  (cond ((memq name loading)
         (error (string-append "library " (symbol->string name)
                               " uses itself through the libraries that it uses: break the circle")))
        ((not (provided? name)) (load-module! name))))

;; Loads a library again, after its source changed.
(define (reload! name)
  (table-set! provided name)
  (require! name))

;; ---- what (module …) and (use …) stand for ----------------------------------------------------------

;; Gambit's own names may be compiled to what they mean, for in a namespace nobody redefines them. Inlining
;; of procedures would double the time to compile for nothing that anybody notices.

(define (header-file name)
  (first-file (lambda (directory) (file-in directory name "#.scm"))))

;; (##namespace ("x#")) without names would move every name there is; as a header it says "no exports".
(define (moves-everything? form)
  (and (pair? form) (eq? (car form) '##namespace) (pair? (cdr form)) (null? (cdadr form))))

(define (header-forms file)
  (let loop ((forms (call-with-input-file file read-all)))
    (cond ((null? forms) '())
          ((moves-everything? (car forms)) (loop (cdr forms)))
          (else (cons (car forms) (loop (cdr forms)))))))

;; An included file's forms know their place in it, data do not.
(define (include-header file)
  (let ((forms (header-forms file)))
    (if (= (length forms) (length (call-with-input-file file read-all)))
        `(##include ,file)
        `(##begin ,@forms))))

(define (checked-name name)
  (if (symbol? name) name (error "the name of a library is a symbol such as scheme-lib/util, not" name)))

(define (expand-module name options)
  (let ((header (or (header-file (checked-name name))
                    (error (string-append "library " (symbol->string name) " has no header "
                                          (symbol->string name) "#.scm in " (folders))))))
    `(##begin
      (boot#provide! ',name '(##begin ,@(header-forms header)))
      (##namespace (,(string-append (symbol->string name) "#")))
      (##include "~~lib/gambit#.scm")
      (##namespace ("" module use))
      (##declare (standard-bindings) (extended-bindings) (inlining-limit 0))
      ,(include-header header))))

;; The header comes from the file while there is one: it may be newer than what was loaded.
(define (expand-use name)
  (let* ((file (header-file (checked-name name)))
         (forms (table-ref provided name #f)))
    (cond (file `(##begin (boot#require! ',name) ,(include-header file)))
          ((pair? forms) `(##begin (boot#require! ',name) ,forms))
          (else (not-found name)))))

;; Where a form stands, as (path . line), or #f: for macros that are made with ##define-syntax.
(define (source-place source)
  (let* ((place (##source-locat source))
         (path (and place (##container->path (##locat-container place)))))
    (and path
         (cons path (+ 1 (##filepos-line (##position->filepos (##locat-position place))))))))

;; The same two forms for everything that is expanded in this process.
(for-each eval
          '((##define-macro (module name . options) (boot#expand-module name options))
            (##define-macro (use name) (boot#expand-use name))))
