;; A whole terminal as rows of styled text.
;;
;;   (call-with-screen thunk)   does thunk on a screen of its own; what stood before is there again afterwards
;;   (screen-draw! lines)       shows these lines from the top; only rows that differ are written
;;   (screen-forget!)           the terminal shows something else by now: the next drawing writes all rows
;;
;; A line is what segments->line made: segments, see debugger/panes, cut to a number of columns. Characters that
;; would steer the terminal are shown as ones that do not.

(module repl/screen)
(use scheme-lib/util)
(use repl/terminal)
(use repl/signals)
(use repl/text-width)
(use repl/style)

(define escape (string (integer->char 27)))
(define (sequence . parts) (string-append escape "[" (apply text parts)))

;; ---- lines -----------------------------------------------------------------------------------------------

(define (harmless c)
  (let ((code (char->integer c)))
    (if (or (< code 32) (<= 127 code 159) (<= #x200B code #x200F) (<= #x202A code #x202E) (<= #x2066 code #x2069))
        #\·
        c)))

;; (text . columns) of what fits into so many columns.
(define (clipped string columns)
  (let ((port (open-output-string)))
    (let loop ((i 0) (used 0))
      (if (= i (string-length string))
          (cons (get-output-string port) used)
          (let* ((c (string-ref string i))
                 (tab? (char=? c #\tab))
                 (width (if tab? (- 8 (modulo used 8)) (char-columns (harmless c)))))
            (if (> (+ used width) columns)
                (cons (get-output-string port) used)
                (begin
                  (if tab? (display (make-string width #\space) port) (write-char (harmless c) port))
                  (loop (+ i 1) (+ used width)))))))))

;; style #f: each segment has its own. Filled with blanks to the width.
(define (segments->line segments width #!optional (style #f))
  (let loop ((segments segments) (used 0) (parts '()))
    (if (null? segments)
        (let ((rest (make-string (- width used) #\space)))
          (string-join (reverse (cons (if style (styled style rest) rest) parts)) ""))
        (let* ((segment (car segments))
               (own (and (pair? segment) (car segment)))
               (fitting (clipped (if (pair? segment) (cdr segment) segment) (- width used))))
          (loop (cdr segments)
                (+ used (cdr fitting))
                (cons (let ((look (or style own))) (if look (styled look (car fitting)) (car fitting))) parts))))))

;; ---- drawing ---------------------------------------------------------------------------------------------

(define shown '())

(define (screen-forget!) (set! shown '()))

(define (screen-draw! lines)
  (if (null? shown) (terminal-write (sequence "2J")))
  (let loop ((new lines) (old shown) (row 1))
    (if (pair? new)
        (begin
          (if (not (and (pair? old) (string=? (car new) (car old))))
              (terminal-write (sequence row ";1H") (car new)))
          (loop (cdr new) (if (pair? old) (cdr old) '()) (+ row 1)))))
  (set! shown lines))

(define enter-sequences (string-append (sequence "?1049h") (sequence "?25l")))
(define leave-sequences (string-append (sequence "0m") (sequence "?25h") (sequence "?1049l")))

(define active? #f)

(define (enter!)
  (set! active? #t)
  (restore-terminal-on-signals! leave-sequences)
  (screen-forget!)
  (terminal-write enter-sequences))

(define (leave!)
  (if active?
      (begin
        (set! active? #f)
        (leave-signals!)
        (terminal-write leave-sequences))))

;; Whatever ends the process puts the terminal in order first.
(##add-exit-job! leave!)

(define (call-with-screen thunk)
  (dynamic-wind enter! (lambda () (call-with-keys thunk)) leave!))

;; The cursor is seen while a line is edited, on the last row.
(define (call-with-cursor thunk)
  (dynamic-wind
   (lambda () (terminal-write (sequence (terminal-height) ";1H") (sequence "?25h")))
   thunk
   (lambda () (terminal-write (sequence "?25l")) (screen-forget!))))
