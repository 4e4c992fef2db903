;; What Tab offers.
;;
;; The first word of a line is completed from the commands, a command's argument as its kind says (files
;; for load, symbols of the program for break, ...), and within a Scheme form from the variables of
;; Scheme and the symbols of the program.
;;
;;   (complete "br" 2)           => (0 "break " "breakpoints ")
;;   (complete "break ma" 8)     => (6 "main ")

(module repl/completion)
(use scheme-lib/util)
(use debugger/words)
(use debugger/command)
(use debugger/program)
(use debugger/value)
(use debugger/line-mode)

(define (starting-with beginning candidates) (filter (lambda (name) (string-prefix? beginning name)) candidates))

(define (sorted names) (delete-duplicates (sort names string<?)))

;; The shape entry of argument number n; the last one stands for all behind it when it is a #!rest.
(define (shape-entry shape n)
  (cond ((null? shape) #f)
        ((or (= n 0) (eq? (shape-entry-mode (car shape)) 'rest)) (car shape))
        (else (shape-entry (cdr shape) (- n 1)))))

(define (argument-candidates name n beginning)
  (let* ((command (command-named name))
         (entry (and command (shape-entry (command-shape command) n))))
    (if entry ((argument-kind-complete (shape-entry-kind entry)) beginning) '())))

;; The names that Scheme's variables have without a namespace. Those that begin with ## are Gambit's own.
(define (scheme-names beginning)
  (let ((found '()))
    (define (visit symbol)
      (let ((name (symbol->string symbol)))
        (if (and (string-prefix? beginning name)
                 (not (string-index name #\#))
                 (not (##unbound? (##global-var-ref (##make-global-var symbol)))))
            (set! found (cons name found)))))
    (let ((table (##symbol-table)))
      (let bucket ((i 1))
        (if (< i (vector-length table))
            (let chain ((symbol (vector-ref table i)))
              (if (symbol? symbol)
                  (begin (visit symbol) (chain (##vector-ref symbol 2)))
                  (bucket (+ i 1)))))))
    found))

;; A directory goes on; everything else is done and gets a blank, or what ends its string.
(define (finished word in-string?)
  (cond ((string-suffix? "/" word) word)
        (in-string? (string-append word "\" "))
        (else (string-append word " "))))

;; Aliases are offered where nothing else is.
(define (command-candidates beginning)
  (let ((names (starting-with beginning (map (lambda (command) (symbol->string (command-name command))) (commands)))))
    (if (null? names) (starting-with beginning (map symbol->string (command-names))) names)))

;; The start of the word, then the words that it could become.
(define (complete text point) ((if (line-mode) complete-line complete-command) text point))

;; In a mode whose lines are its own.
(define (complete-line text point)
  (let* ((start (word-before text point))
         (offered ((line-mode-complete (line-mode)) (string-trim (substring text 0 start)) (substring text start point))))
    (cons start (map (lambda (word) (finished word #f)) (sorted offered)))))

(define (complete-command text point)
  (let* ((before (substring text 0 point))
         (start (word-before text point))
         (beginning (substring text start point))
         (in-string? (string-in-progress? before))
         (in-form? (and (> start 0) (memv (string-ref text (- start 1)) '(#\( #\' #\[))))
         (typed (words (substring text 0 start))))
    (define (candidates)
      (cond ((null? typed)
             (if (string=? beginning "") '() (command-candidates beginning)))
            ((or in-form? (not (words-complete? before)) (not (command-named (car typed))))
             (if in-string?
                 (file-names beginning)
                 (append (starting-with beginning (program-names))
                         (if (string=? beginning "") '() (scheme-names beginning)))))
            (else
             (argument-candidates (car typed) (- (length typed) 1) beginning))))
    (cons start
          (map (if in-form? (lambda (word) word) (lambda (word) (finished word in-string?)))
               (sorted (if (and in-form? (null? typed)) (scheme-names beginning) (candidates)))))))

;; Whether a string began that has not ended.
(define (string-in-progress? text)
  (let loop ((i 0) (inside? #f))
    (cond ((>= i (string-length text)) inside?)
          ((and inside? (char=? (string-ref text i) #\\)) (loop (+ i 2) #t))
          ((char=? (string-ref text i) #\") (loop (+ i 1) (not inside?)))
          (else (loop (+ i 1) inside?)))))
