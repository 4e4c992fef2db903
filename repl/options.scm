;; Command lines: options, mistakes in them, and exit statuses, which are those of comet-vm-no-scheme.
;;
;;   (parse-options '("--fuel" "10" "a.s" "x") '(("--fuel" number "N" "stop after N instructions")))
;;     => ((("--fuel" . 10)) "a.s" "x")
;;
;; An option is a list: its name, the kind of its value (#f for none; text, number, size, seconds, directory,
;; setting; file-or-none for one that may stand behind = alone, and is #t where it does not), what help calls the value, and what help says
;; of it. Options stand before the first word that is none.

(module repl/options)
(use scheme-lib/util)

(define status-usage 64)
(define status-bad-data 65)
(define status-no-input 66)
(define status-internal 70)
(define status-system 71)
(define status-no-permission 77)
(define status-out-of-output 122)
(define status-out-of-fuel 123)
(define status-out-of-time 124)
(define status-waiting 125)
(define status-interrupted 130)
(define status-trap 132)
(define status-output-closed 141)

(define-type usage-error
  constructor: make-usage-error
  message)

(define (usage-error . parts) (raise (make-usage-error (apply text parts))))

(define (say-on-stderr . parts)
  (with-exception-catcher
   (lambda (exception) #f)
   (lambda ()
     (force-output ##stdout-port)
     (display (apply text parts) ##stderr-port)
     (newline ##stderr-port)
     (force-output ##stderr-port))))

(define (exit-with status . parts)
  (say-on-stderr "comet-vm: " (apply text parts))
  (exit status))

;; ---- values ----------------------------------------------------------------------------------------

(define suffixes '((#\K . 1024) (#\M . 1048576) (#\G . 1073741824)))

(define (whole-number word)
  (let ((number (if (string-prefix? "0x" word)
                    (string->number (substring word 2 (string-length word)) 16)
                    (string->number word 10))))
    (and (integer? number) (exact? number) (>= number 0) (< number (expt 2 64)) number)))

(define (size-number word)
  (let* ((last (- (string-length word) 1)) (suffix (and (> last 0) (assv (string-ref word last) suffixes))))
    (if suffix
        (let ((number (whole-number (substring word 0 last)))) (and number (* number (cdr suffix))))
        (whole-number word))))

(define (positive-number word)
  (let ((number (string->number word 10))) (and (real? number) (< 0 number 1000000001) number)))

;; DIR, DIR:NAME, DIR:ro or DIR:NAME:ro, as (path name read-only?)
(define (directory word)
  (let* ((read-only? (string-suffix? ":ro" word))
         (word (if read-only? (substring word 0 (- (string-length word) 3)) word))
         (parts (string-split word #\:))
         (path (car parts))
         (name (if (pair? (cdr parts)) (string-join (cdr parts) ":") path)))
    (and (not (string=? path "")) (not (string=? name "")) (list path name read-only?))))

(define (setting word)
  (let ((name (string-index word #\=))) (and name (> name 0) word)))

(define kinds
  (list (list 'text (lambda (word) word) "a word")
        (list 'file-or-none (lambda (word) (and (> (string-length word) 0) word)) "a file behind =, or nothing")
        (list 'count (lambda (word) (let ((number (whole-number word))) (and number (> number 0) number)))
              "a number from 1 to 2^64-1")
        (list 'number whole-number "a number from 0 to 2^64-1")
        (list 'size size-number "a number of bytes, with K, M or G behind it or not")
        (list 'directory directory "DIR, DIR:NAME or one of them with :ro behind it")
        (list 'setting setting "NAME=VALUE")
        (list 'seconds positive-number "a number of seconds above 0, up to 1000000000")))

(define (read-value name kind word)
  (let ((entry (assq kind kinds)))
    (or ((cadr entry) word)
        (usage-error name " takes " (caddr entry) ", not `" word "`"))))

;; ---- the line --------------------------------------------------------------------------------------

(define (option? word) (and (> (string-length word) 1) (char=? (string-ref word 0) #\-)))

;; --fuel=10 is --fuel 10.
(define (split-equals words)
  (let* ((word (car words)) (at (and (string-prefix? "--" word) (string-index word #\=))))
    (if at
        (cons (substring word 0 at) (cons (substring word (+ at 1) (string-length word)) (cdr words)))
        words)))

;; -gn is -g -n, where these are options without values; -Dn=1 is -D n=1, where -D takes one.
(define (split-letters words specifications)
  (let* ((word (car words)) (letters (cdr (string->list word))))
    (define (named letter) (assoc (string #\- letter) specifications))
    (define (without-value? letter) (let ((each (named letter))) (and each (not (cadr each)))))
    (cond ((or (null? (cdr letters)) (assoc word specifications)) words)
          ((every without-value? letters) (append (map (lambda (letter) (string #\- letter)) letters) (cdr words)))
          ((and (named (car letters)) (not (without-value? (car letters))))
           (cons* (substring word 0 2) (substring word 2 (string-length word)) (cdr words)))
          (else words))))

;; anywhere?: options may also stand behind other words, up to `--`.
(define (parse-options words specifications #!optional (anywhere? #f))
  (let loop ((words words) (found '()) (others '()))
    (define (finish rest) (cons (reverse found) (append (reverse others) rest)))
    (cond ((null? words) (finish '()))
          ((string=? (car words) "--") (finish (cdr words)))
          ((and (not (option? (car words))) anywhere?) (loop (cdr words) found (cons (car words) others)))
          ((not (option? (car words))) (finish words))
          (else
           (let* ((given words) (words (split-letters (split-equals words) specifications))
                  (name (car words))
                  (specification (assoc name specifications)))
             (cond ((not specification)
                    (usage-error "there is no option " name (did-you-mean name (map car specifications))))
                   ((or (not (cadr specification)) (and (eq? (cadr specification) 'file-or-none) (eq? words given)))
                    (loop (cdr words) (cons (cons name #t) found) others))
                   ((null? (cdr words))
                    (usage-error name " needs a value, " (caddr specification)))
                   (else
                    (loop (cddr words)
                          (cons (cons name (read-value name (cadr specification) (cadr words))) found)
                          others))))))))

(define (option-value options name #!optional (default #f))
  (let ((entry (assoc name options))) (if entry (cdr entry) default)))

(define (option-values options name)
  (map cdr (filter (lambda (entry) (string=? (car entry) name)) options)))
