;; Writes build/scheme/modules.mk: what each Scheme library is compiled from, in which order libraries are
;; linked, and where Gambit keeps its C header and library. All of it is read from the (use …) forms, so
;; that nothing is listed twice.
;;
;;   OUTPUT=build/scheme/modules.mk HEADERS="asm/isa#.scm …" gsi -:dar1- repl/modules-to-make.scm </dev/null
;;
;; A line that begins with (use …) counts; so does (##include "file") with a file of the project.

(define (prefix-at? string i prefix)
  (let ((end (+ i (string-length prefix))))
    (and (<= end (string-length string)) (string=? (substring string i end) prefix))))

(define (until string i stop)
  (let loop ((j i))
    (if (or (= j (string-length string)) (char=? (string-ref string j) stop))
        (substring string i j)
        (loop (+ j 1)))))

(define (words string)
  (let loop ((i 0))
    (cond ((>= i (string-length string)) '())
          ((char=? (string-ref string i) #\space) (loop (+ i 1)))
          (else
           (let ((word (until string i #\space)))
             (cons word (loop (+ i (string-length word)))))))))

;; What follows `prefix` up to `stop`, everywhere on the lines that begin with `prefix`.
(define (mentioned file prefix stop)
  (define (on-line line)
    (let loop ((i 0))
      (cond ((>= i (string-length line)) '())
            ((prefix-at? line i prefix)
             (cons (until line (+ i (string-length prefix)) stop) (loop (+ i 1))))
            (else (loop (+ i 1))))))
  (if (file-exists? file)
      (apply append
             (map (lambda (line) (if (prefix-at? line 0 prefix) (on-line line) '()))
                  (call-with-input-file file (lambda (port) (read-all port read-line)))))
      '()))

(define header-ending "#.scm")
(define (module-of header)
  (substring header 0 (- (string-length header) (string-length header-ending))))
(define (header-of module) (string-append module header-ending))
(define (body-of module) (string-append module ".scm"))

(define (uses file) (mentioned file "(use " #\)))

(define (included file)
  (apply append
         (map (lambda (name)
                (let ((path (string-append (path-directory file) name)))
                  (if (file-exists? path) (cons path (included path)) '())))
              (mentioned file "(##include \"" #\"))))

;; Headers that are expanded while `file` is compiled, beside those in `seen`.
(define (headers file seen)
  (let loop ((modules (uses file)) (seen seen))
    (cond ((null? modules) seen)
          ((member (header-of (car modules)) seen) (loop (cdr modules) seen))
          (else
           (let ((header (header-of (car modules))))
             (loop (cdr modules) (headers header (append seen (list header)))))))))

;; Used libraries before those that use them; the entry of the executable last.
(define (ordered modules)
  (let ((done '()))
    (define (visit module path)
      (cond ((member module path)
             ;; beyond tests: the project's own libraries, while it is built
             (error (string-append "libraries use each other in a circle: " module " and " (car path))))
            ((and (member module modules) (not (member module done)))
             (for-each (lambda (used) (visit used (cons module path)))
                       (append (uses (header-of module)) (uses (body-of module))))
             (set! done (cons module done)))))
    (for-each (lambda (module) (if (not (string=? module "repl/main")) (visit module '()))) modules)
    (for-each (lambda (module) (visit module '())) modules)
    (reverse done)))

(define (escaped path)
  (apply string-append
         (map (lambda (c) (if (char=? c #\#) "\\#" (string c))) (string->list path))))

;; scheme-lib/util is compiled as scheme-lib.util: linked modules need names that differ without folders.
(define (flat module)
  (list->string (map (lambda (c) (if (char=? c #\/) #\. c)) (string->list module))))

(define (gambit-library)
  (let ((folder (path-expand "~~lib")))
    (let loop ((names '("libgambit.so" "libgambit.so.4" "libgambit.a")))
      (cond ((null? names)
             ;; beyond tests: a Gambit that is not whole
             (error "there is no libgambit in" folder))
            ((file-exists? (path-expand (car names) folder)) (path-expand (car names) folder))
            (else (loop (cdr names)))))))

(define (write-fragment modules)
  (define (line . parts)
    (for-each display parts)
    (newline))
  (line "GAMBIT_INCLUDE := " (path-expand "~~include"))
  (line "GAMBIT_LIBRARY := " (gambit-library))
  (display "SCHEME_MODULES := scheme-lib/boot")
  (for-each (lambda (module) (display " ") (display module)) modules)
  (newline)
  (for-each
   (lambda (module)
     (let* ((body (body-of module))
            (own-header (header-of module))
            (sources (append (headers body (headers own-header (list own-header))) (included body)))
            (c-file (string-append "$(BUILD)/scheme/c/" (flat module) ".c")))
       (line c-file ": " body (apply string-append (map (lambda (file) (string-append " " (escaped file))) sources)))
       (line "$(BUILD)/scheme/" module ".o1: " c-file)))
   modules))

(with-exception-catcher
 (lambda (exception)
   (display-exception exception (current-error-port))
   (force-output (current-error-port))
   (exit 1))
 (lambda ()
   (let ((modules (ordered (map module-of (words (getenv "HEADERS"))))))
     (with-output-to-file (getenv "OUTPUT") (lambda () (write-fragment modules))))
   (exit 0)))
