;; How styles look on this terminal: with colours where it has them and its owner wants them, else bold and
;; reversed.
;;
;;   (styled 'changed "r3")   => the text between the sequences that switch the style on and off

(module repl/style)
(use scheme-lib/util)
(use repl/terminal)

;; style, with colours, without: parameters of the terminal's sequence SGR
(define looks
  '((current "1;32" "1") (changed "1;33" "1") (breakpoint "1;31" "1") (label "36" "") (faint "2" "")
    (mark "35" "1") (title "7" "7") (cursor "7" "7") (error "31" "1")))

(define escape (string (integer->char 27)))

(define (styled style string)
  (let* ((look (assq style looks))
         (parameters (if look (if (terminal-colours?) (cadr look) (caddr look)) "")))
    (if (or (string=? parameters "") (string=? string ""))
        string
        (string-append escape "[" parameters "m" string escape "[0m"))))
