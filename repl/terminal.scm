;; The terminal, or whatever standard input and output are instead.
;;
;; Everything that the REPL reads comes from here, as bytes, one decoder for all: keys while a line is
;; edited, whole lines from a pipe or a file, and what a program asks for when it reads its standard
;; input under the REPL. So a script may hold commands and the input of the program that they run.
;;
;;   (call-with-keys (lambda () (read-key)))   => #\a, 'up, 'tab, (meta #\b), ...
;;   (read-input-line)                         => "step 3", or the end-of-file object
;;
;; While call-with-keys is active the terminal hands on every key as it is, Ctrl-C too; otherwise Ctrl-C
;; interrupts and the output is translated as usual.

(module repl/terminal)
(use repl/window-size)

(define (terminal-input) ##stdin-port)
(define (terminal-output) ##stdout-port)

;; Gambit's own default is one byte a character.
(define (terminal-setup!)
  (for-each (lambda (port) (port-settings-set! port '(char-encoding: UTF-8 char-encoding-errors: #f)))
            (list (terminal-output) ##stderr-port)))

(define (terminal-interactive?)
  (and (tty? (terminal-input)) (tty? (terminal-output))))

;; Emacs and dumb terminals do their own line editing, or none.
(define (terminal-editable?)
  (and (terminal-interactive?)
       (not (member (getenv "TERM" "dumb") '("dumb" "")))
       (not (getenv "INSIDE_EMACS" #f))))

;; See no-color.org.
(define (terminal-colours?) (and (terminal-editable?) (string=? "" (getenv "NO_COLOR" ""))))

;; As it is now: people change it. 80 by 24 where nobody knows.
(define (terminal-width) (let ((columns (modulo (window-size) 65536))) (if (> columns 0) columns 80)))
(define (terminal-height) (let ((rows (quotient (window-size) 65536))) (if (> rows 0) rows 24)))

(define (terminal-write . texts)
  (let ((port (terminal-output)))
    (for-each (lambda (text) (write-string text port)) texts)
    (force-output port)))

;; ---- modes ---------------------------------------------------------------------------------------

;; Input and output are two devices to Gambit, and one to the system: the one that was opened last wins,
;; so both are set alike.
(define (set-mode! special? echo? raw?)
  (force-output (terminal-output))
  (tty-mode-set! (terminal-output) special? echo? raw? raw? 0)
  (tty-mode-set! (terminal-input) special? echo? raw? raw? 0))

(define (key-mode!) (set-mode! #f #f #t))
(define (line-mode!) (set-mode! #t #t #f))
(define (silent-mode!) (set-mode! #t #f #t))

(define mode line-mode!)

;; Modes nest: each gives way to the one that was.
(define (call-in-mode enter! thunk)
  (let ((before mode))
    (dynamic-wind (lambda () (change-mode! enter!)) thunk (lambda () (change-mode! before)))))

(define (change-mode! enter!)
  (set! mode enter!)
  (enter!))

(define (call-with-keys thunk) (call-in-mode key-mode! thunk))

;; Keys are neither read nor shown, and Ctrl-C interrupts: for what runs while a screen stands.
(define (call-with-silent-keys thunk) (call-in-mode silent-mode! thunk))

;; Ctrl-Z while keys are read: the terminal is put in order before the process stops.
(define (suspend-process)
  (line-mode!)
  (shell-command "kill -TSTP $PPID")
  (mode))

;; ---- bytes and characters --------------------------------------------------------------------------

(define (read-byte) (read-u8 (terminal-input)))

(define (continuation-bytes first)
  (cond ((< first #xC2) 0) ((< first #xE0) 1) ((< first #xF0) 2) ((< first #xF5) 3) (else 0)))

(define replacement-character (integer->char #xFFFD))

;; The character that begins with the byte `first`; bytes that are not UTF-8 give U+FFFD.
(define (finish-character first)
  (let loop ((n (continuation-bytes first))
             (code (cond ((< first #x80) first)
                         ((< first #xE0) (bitwise-and first #x1F))
                         ((< first #xF0) (bitwise-and first #x0F))
                         (else (bitwise-and first #x07)))))
    (cond ((and (>= first #x80) (= 0 (continuation-bytes first))) replacement-character)
          ((= n 0) (if (or (< #xD7FF code #xE000) (> code #x10FFFF)) replacement-character (integer->char code)))
          (else
           (let ((byte (read-byte)))
             (if (and (fixnum? byte) (= (bitwise-and byte #xC0) #x80))
                 (loop (- n 1) (+ (* code 64) (bitwise-and byte #x3F)))
                 replacement-character))))))

;; ---- keys ----------------------------------------------------------------------------------------

(define (byte->letter byte) (integer->char byte))

(define control-keys
  '((0 . none) (1 . home) (2 . left) (3 . cancel) (4 . delete-or-end) (5 . end) (6 . right) (7 . abandon)
    (8 . backspace) (9 . tab) (10 . enter) (11 . kill-right) (12 . refresh) (13 . enter) (14 . down)
    (16 . up) (18 . search) (20 . transpose) (21 . kill-left) (23 . kill-word-left) (25 . yank)
    (26 . suspend) (127 . backspace)))

;; What follows ESC [ or ESC O, parameters included.
(define sequence-keys
  '(("A" . up) ("B" . down) ("C" . right) ("D" . left) ("H" . home) ("F" . end)
    ("1~" . home) ("4~" . end) ("7~" . home) ("8~" . end) ("3~" . delete)
    ("5~" . page-up) ("6~" . page-down) ("1;5C" . word-right) ("1;5D" . word-left) ("1;3C" . word-right) ("1;3D" . word-left)
    ("5C" . word-right) ("5D" . word-left) ("200~" . paste-begin) ("201~" . paste-end)))

(define meta-keys
  '((#\b . word-left) (#\f . word-right) (#\d . kill-word-right) (#\< . first) (#\> . last)))

(define (known key table) (let ((entry (assoc key table))) (if entry (cdr entry) 'none)))

;; One key: a character, a symbol that says what the key means, or the end-of-file object.
(define (read-key)
  (let ((byte (read-byte)))
    (cond ((eof-object? byte) byte)
          ((= byte 27) (read-escape))
          ((or (< byte 32) (= byte 127)) (known byte control-keys))
          (else (finish-character byte)))))

;; As read-key; none where no key comes within so many seconds.
(define (read-key-within seconds)
  (let ((late? #f))
    (input-port-timeout-set! (terminal-input) seconds (lambda () (set! late? #t) #f))
    (let ((key (read-key)))
      (input-port-timeout-set! (terminal-input) #f)
      (if late? 'none key))))

(define (read-escape)
  (let ((byte (read-byte)))
    (cond ((eof-object? byte) byte)
          ((or (= byte 91) (= byte 79)) (read-sequence ""))
          ((or (= byte 127) (= byte 8)) 'kill-word-left)
          ((= byte 27) (read-escape))
          (else (known (byte->letter byte) meta-keys)))))

(define (read-sequence text)
  (let ((byte (read-byte)))
    (if (eof-object? byte)
        byte
        (let ((text (string-append text (string (byte->letter byte)))))
          (if (and (< 63 byte 127)) (known text sequence-keys) (read-sequence text))))))

;; ---- lines and blocks ------------------------------------------------------------------------------

;; The next line without its newline.
(define (read-input-line)
  (let loop ((characters '()))
    (let ((byte (read-byte)))
      (cond ((eof-object? byte) (if (null? characters) byte (list->string (reverse characters))))
            ((= byte 10) (list->string (reverse characters)))
            ((= byte 13) (loop characters))
            (else (loop (cons (finish-character byte) characters)))))))

;; At least one byte and at most `length`, as a u8vector; an empty one at the end.
(define (read-input-bytes length)
  (let* ((bytes (make-u8vector length))
         (got (read-subu8vector bytes 0 length (terminal-input) 1)))
    (subu8vector bytes 0 got)))
