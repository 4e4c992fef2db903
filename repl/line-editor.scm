;; Edits one line on a terminal: cursor keys, history, search, completion.
;;
;;   (edit-line "comet> " complete)
;;     => the line, 'cancelled after Ctrl-C, or the end-of-file object after Ctrl-D on an empty line
;;
;; `complete` gets the text and the position in it, and gives a list: where the word begins, then the
;; words that could stand there (each with what should follow it, a blank for most).
;;
;; Gambit has a line editor of its own. It completes from all symbols of the process and knows nothing of
;; files or commands, and Ctrl-C does not cancel its line: hence this one.

(module repl/line-editor)
(use scheme-lib/util)
(use repl/terminal)
(use repl/history)
(use repl/text-width)

(define-type line
  constructor: make-line
  prompt   ; what stands before the text
  text
  point    ; the cursor: an index into text
  entry    ; the history entry that is shown; -1 for the line that is being written
  draft    ; that line, while an entry is shown
  row)     ; the row of the cursor, counted from the row of the prompt

;; What Ctrl-K, Ctrl-U and Ctrl-W removed last.
(define kill-buffer "")

;; ---- the screen ------------------------------------------------------------------------------------

(define escape (string (integer->char 27)))
(define (sequence . parts) (string-append escape "[" (apply text parts)))
(define (move-up n) (if (> n 0) (sequence n "A") ""))
(define (move-right n) (if (> n 0) (sequence n "C") ""))
(define clear-below (sequence "J"))

;; Draws the line again from the row of its prompt. Terminals wait at the right margin until a further
;; character comes, hence the newline where the text ends there. What is left of the line before is cleared
;; behind the text and not ahead of it: in the top left corner, a terminal takes that for clearing the whole
;; screen, and tmux puts a copy of the screen into its history for every key.
(define (show line)
  (let* ((width (terminal-width))
         (before (columns-of (line-prompt line)))
         (whole (+ before (columns-of (line-text line))))
         (cursor (+ before (columns-of (before-point line))))
         (last-row (quotient whole width)))
    (terminal-write (move-up (line-row line)) "\r"
                    (line-prompt line) (line-text line)
                    (if (= 0 (modulo whole width)) "\r\n" "")
                    clear-below
                    (move-up (- last-row (quotient cursor width)))
                    "\r" (move-right (modulo cursor width)))
    (line-row-set! line (quotient cursor width))))

;; Puts the cursor behind the text, on a row of its own.
(define (leave line)
  (line-point-set! line (string-length (line-text line)))
  (show line)
  (terminal-write "\r\n")
  (line-row-set! line 0))

(define (bell) (terminal-write "\a"))

;; ---- changes ---------------------------------------------------------------------------------------

(define (before-point line) (substring (line-text line) 0 (line-point line)))
(define (behind-point line) (substring (line-text line) (line-point line) (string-length (line-text line))))

(define (change! line before behind)
  (line-text-set! line (string-append before behind))
  (line-point-set! line (string-length before)))

(define (insert! line string)
  (change! line (string-append (before-point line) string) (behind-point line)))

;; Replaces the text from `start` to the cursor.
(define (replace! line start string)
  (change! line (string-append (substring (line-text line) 0 start) string) (behind-point line)))

(define (move! line position)
  (line-point-set! line (max 0 (min position (string-length (line-text line))))))

(define (remove! line start end keep?)
  (let ((text (line-text line)))
    (if keep? (set! kill-buffer (substring text start end)))
    (change! line (substring text 0 start) (substring text end (string-length text)))))

(define (word-character? c)
  (or (char-alphabetic? c) (char-numeric? c) (memv c '(#\_ #\-)) (> (char->integer c) 127)))

(define (word-start line)
  (let loop ((i (line-point line)) (in-word? #f))
    (cond ((= i 0) 0)
          ((word-character? (string-ref (line-text line) (- i 1))) (loop (- i 1) #t))
          (in-word? i)
          (else (loop (- i 1) #f)))))

(define (word-end line)
  (let ((end (string-length (line-text line))))
    (let loop ((i (line-point line)) (in-word? #f))
      (cond ((= i end) end)
            ((word-character? (string-ref (line-text line) i)) (loop (+ i 1) #t))
            (in-word? i)
            (else (loop (+ i 1) #f))))))

(define (transpose! line)
  (let* ((text (line-text line)) (end (string-length text)) (at (min (line-point line) (- end 1))))
    (if (> at 0)
        (change! line
                 (string-append (substring text 0 (- at 1)) (string (string-ref text at) (string-ref text (- at 1))))
                 (substring text (+ at 1) end)))))

;; ---- history ---------------------------------------------------------------------------------------

(define (show-entry! line n)
  (let ((wanted (if (< n 0) (line-draft line) (history-entry n))))
    (if (or (not wanted) (< n -1))
        (bell)
        (begin
          (if (= (line-entry line) -1) (line-draft-set! line (line-text line)))
          (line-entry-set! line n)
          (change! line (if (< n 0) (line-draft line) wanted) "")))))

(define (find-entry wanted from)
  (let loop ((n from))
    (let ((entry (history-entry n)))
      (cond ((not entry) #f)
            ((string-contains entry wanted) n)
            (else (loop (+ n 1)))))))

;; Ctrl-R: letters narrow the search, Ctrl-R goes on to older lines; any other key takes the line that is
;; shown and then does what it always does. Gives that key, or 'none.
(define (search! line)
  (let ((prompt (line-prompt line)) (before (line-text line)))
    (define (finish key)
      (line-prompt-set! line prompt)
      (line-point-set! line (string-length (line-text line)))
      key)
    (let loop ((wanted "") (at 0))
      (line-prompt-set! line (string-append "search `" wanted "`: "))
      (show line)
      (let ((key (read-key)))
        (define (look wanted from)
          (let ((n (find-entry wanted from)))
            (if n (change! line (history-entry n) "") (bell))
            (loop wanted (or n at))))
        (cond ((char? key) (look (string-append wanted (string key)) at))
              ((eq? key 'search) (look wanted (+ at 1)))
              ((eq? key 'backspace)
               (look (substring wanted 0 (max 0 (- (string-length wanted) 1))) 0))
              ((memq key '(cancel abandon)) (change! line before "") (finish 'none))
              (else (finish key)))))))

;; ---- completion ------------------------------------------------------------------------------------

(define (common-prefix a b)
  (let loop ((i 0))
    (if (and (< i (string-length a)) (< i (string-length b)) (char=? (string-ref a i) (string-ref b i)))
        (loop (+ i 1))
        (substring a 0 i))))

(define (show-choices line choices)
  (let* ((shown (map string-trim choices))
         (column (+ 2 (fold max 0 (map string-length shown))))
         (columns (max 1 (quotient (terminal-width) column))))
    (leave line)
    (let loop ((rest shown))
      (if (pair? rest)
          (let ((row (take-at-most rest columns)))
            (terminal-write (apply string-append (map (lambda (word) (string-pad-right word column)) row)) "\r\n")
            (loop (drop-at-most rest columns)))))))

(define (complete! line complete)
  (let* ((point (line-point line))
         (answer (complete (line-text line) point))
         (start (car answer))
         (choices (cdr answer)))
    (if (null? choices)
        (bell)
        (let ((common (fold common-prefix (car choices) choices)))
          (cond ((> (string-length common) (- point start)) (replace! line start common))
                ((pair? (cdr choices)) (show-choices line choices) (line-point-set! line point)))))))

;; ---- keys ------------------------------------------------------------------------------------------

;; What a key does to the line. Those that end it are in edit-line.
(define (act! line key complete)
  (let ((point (line-point line)) (end (string-length (line-text line))))
    (case key
      ((left) (move! line (- point 1)))
      ((right) (move! line (+ point 1)))
      ((home) (move! line 0))
      ((end) (move! line end))
      ((word-left) (move! line (word-start line)))
      ((word-right) (move! line (word-end line)))
      ((backspace) (if (> point 0) (remove! line (- point 1) point #f) (bell)))
      ((delete delete-or-end) (if (< point end) (remove! line point (+ point 1) #f) (bell)))
      ((kill-right) (remove! line point end #t))
      ((kill-left) (remove! line 0 point #t))
      ((kill-word-left) (remove! line (word-start line) point #t))
      ((kill-word-right)
       (let ((stop (word-end line))) (remove! line point stop #t)))
      ((yank) (insert! line kill-buffer))
      ((transpose) (transpose! line))
      ((up) (show-entry! line (+ (line-entry line) 1)))
      ((down) (show-entry! line (- (line-entry line) 1)))
      ((first) (if (> (history-length) 0) (show-entry! line (- (history-length) 1))))
      ((last) (show-entry! line -1))
      ((refresh) (terminal-write (sequence "H") clear-below) (line-row-set! line 0))
      ((suspend) (leave line) (suspend-process))
      ((tab) (complete! line complete))
      (else (if (char? key) (insert! line (string key)))))))

(define (edit-line prompt complete)
  (let ((line (make-line prompt "" 0 -1 "" 0)))
    (define (done value) (leave line) value)
    (define (edit key)
      (cond ((eof-object? key) (done key))
            ((eq? key 'enter) (done (line-text line)))
            ((eq? key 'cancel) (done 'cancelled))
            ((and (eq? key 'delete-or-end) (string=? (line-text line) "")) (done #!eof))
            ((eq? key 'search)
             (let ((key (search! line))) (show line) (edit key)))
            (else
             (act! line key complete)
             (show line)
             (edit (read-key)))))
    (call-with-keys
     (lambda ()
       (show line)
       (edit (read-key))))))
