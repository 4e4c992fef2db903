;; The lines that were entered, kept between runs.
;;
;; The file is ~/.comet_history, or what COMET_HISTORY names; when that is empty, nothing is kept. Each
;; line is written as soon as it is entered, so that nothing is lost with the process and two sessions
;; may share the file.
;;
;;   (history-load!)  (history-add! "step 3")  (history-entry 0) => "step 3"

(module repl/history)

(define limit 1000)

;; Newest first.
(define entries '())

(define (history-length) (length entries))

;; Entry n, 0 the newest; #f where there is none.
(define (history-entry n) (and (< -1 n (length entries)) (list-ref entries n)))

;; #f: keep none.
(define (history-file)
  (let ((name (getenv "COMET_HISTORY" #f)))
    (cond ((not name) (and (getenv "HOME" #f) (path-expand "~/.comet_history")))
          ((string=? name "") #f)
          (else (path-expand name)))))

(define (settings file) (list path: file char-encoding: 'UTF-8 char-encoding-errors: #f))

;; A history that cannot be read or written is no reason to stop anybody's work.
(define (quietly thunk) (with-exception-catcher (lambda (exception) #f) thunk))

(define (first-entries list n)
  (if (or (null? list) (= n 0)) '() (cons (car list) (first-entries (cdr list) (- n 1)))))

(define (history-load!)
  (let ((file (history-file)))
    (if (and file (file-exists? file))
        (quietly
         (lambda ()
           (let ((lines (call-with-input-file (settings file) (lambda (port) (read-all port read-line)))))
             (set! entries (first-entries (reverse lines) limit))
             (if (> (length lines) (* 2 limit))
                 (call-with-output-file (settings file)
                   (lambda (port)
                     (for-each (lambda (line) (write-string line port) (newline port))
                               (reverse entries)))))))))))

;; Empty lines and repetitions of the newest one are left out.
(define (history-add! line)
  (if (not (or (string=? line "") (equal? line (history-entry 0))))
      (let ((file (history-file)))
        (set! entries (cons line entries))
        (if file
            (quietly
             (lambda ()
               (call-with-output-file (append (settings file) (list append: #t permissions: #o600))
                 (lambda (port) (write-string line port) (newline port)))))))))
