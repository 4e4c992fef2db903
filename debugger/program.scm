;; A program that was loaded: its image, and what that knows of names and source lines.
;;
;;   (read-program "sieve.s")      a file of any format, by content
;;   (symbol-value "main")         => 65536, of the current session's program; #f for no such symbol
;;   (address-text 65540)          => "main+0x4"

(module debugger/program)
(use scheme-lib/util)
(use debugger/command)
(use debugger/session)
(use scheme-lib/image)

(use scheme-lib/machine)
(use asm/loaders)
(use scheme-lib/loaders/standard)

(define-type loaded
  constructor: make-loaded
  path
  name   ; as the prompt shows it
  image)

(define (loaded-entry program) (image-entry (loaded-image program)))

;; ---- reading ---------------------------------------------------------------------------------------

;; Reads a program of any format that a loader knows.
(define (read-program path)
  (if (not (file-exists? path)) (raise-user-error path ": there is no such file"))
  (if (eq? (file-type path) 'directory) (raise-user-error path ": is a directory, not a program"))
  (make-loaded path (path-strip-directory path) (->image path)))

;; ---- names -----------------------------------------------------------------------------------------

(define (machine) (session-machine (the-session)))

;; ((name . value) …), by value
(define (all-symbols) (if (machine) (machine-symbols (machine)) '()))

(define (program-names) (map car (all-symbols)))

(define (symbol-value name) (and (machine) (machine-symbol (machine) name)))

;; The symbol that an address belongs to, as (name . value), or #f.
(define (symbol-at address)
  (let ((symbol (and (machine) (machine-symbol-at (machine) address))))
    (and symbol (cons (car symbol) (- address (cdr symbol))))))

;; "main+0x4", or the number where no symbol is near.
(define (address-text address)
  (let ((symbol (symbol-at address)))
    (cond ((not symbol) (hex-address address))
          ((= address (cdr symbol)) (car symbol))
          (else (text (car symbol) "+" (number->hex (- address (cdr symbol))))))))

;; ---- source lines ----------------------------------------------------------------------------------

;; The file that code assembled at the prompt is said to come from.
(define prompt-file "(prompt)")

;; The source line that the instruction at an address came from, as (file line column), or #f.
(define (line-at address)
  (let ((place (and (machine) (machine-line-at (machine) address))))
    (and place (not (string=? (car place) prompt-file)) place)))

(define place-file car)
(define place-line cadr)

(define files (make-table test: equal?)) ; path -> vector of lines, or #f

;; An image may have been moved away from its source, which then lies beside it or nowhere.
(define (source-path file)
  (let* ((program (session-program (the-session)))
         (folder (if program (path-directory (path-expand (loaded-path program))) (current-directory)))
         (beside (path-expand (path-strip-directory file) folder)))
    (find file-to-read? (list file beside))))

;; A program from elsewhere may name a device as its source, which would never end.
(define (file-to-read? path)
  (and (file-exists? path) (eq? (file-type path) 'regular)))

(define (file-lines file)
  (let ((path (source-path file)))
    (and path
         (let ((key (cons path (time->seconds (file-last-modification-time path)))))
           (or (table-ref files key #f)
               (let ((lines (list->vector (string-split (read-file-text path) #\newline))))
                 (table-set! files key lines)
                 lines))))))

;; The text of a source line without the blanks around it; #f where the file is gone.
(define (source-text place)
  (let ((lines (with-exception-catcher (lambda (exception) #f) (lambda () (file-lines (place-file place))))))
    (and lines
         (<= 1 (place-line place) (vector-length lines))
         (string-trim (vector-ref lines (- (place-line place) 1))))))
