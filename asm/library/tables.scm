;; Texts that stand where they are used, tables of texts, tables of numbers.
;;
;;     (use asm/library/tables)
;;             imm     r12, ($text "hello\n")          ; its address; a 0 ends it
;;             .rodata
;;             ($texts)                                ; once, behind all that use $text
;;             ($string-table "days" "Monday" "Tuesday")
;;             ($table "squares" 4 100 (lambda (i) (* i i)))
(module asm/library/tables)
(use scheme-lib/util)
(use asm/macro)
(declare (block))

;; The address of a text, which ($texts) puts somewhere; equal texts are there once.
(define ($text string)
  (let* ((texts (macro-state 'texts '()))
         (known (assoc string texts))
         (name (if known (cdr known) (text "$text." (length texts)))))
    (if (not (string? string)) (macro-fail "$text expects a string, found " (written string)))
    (if (not known) (macro-state-set! 'texts (cons (cons string name) texts)))
    (macro-address name)))

(define ($texts)
  (map (lambda (entry) (list (list 'label (cdr entry)) (list '.asciz (car entry))))
       (reverse (macro-state 'texts '()))))

;; At `name` the addresses of the strings, 8 bytes each, behind them the strings.
(define ($string-table name . strings)
  (let ((names (map (lambda (n) (text name "." n)) (iota (length strings)))))
    (list '(.align 8 0)
          (list 'label name)
          (map (lambda (name) (list '.quad name)) names)
          (map (lambda (name string) (list (list 'label name) (list '.asciz string))) names strings))))

;; At `name`, `count` numbers of `size` bytes, that f gives for 0, 1, 2 …
(define ($table name size count f)
  (let ((directive (assv size '((1 . .byte) (2 . .half) (4 . .word) (8 . .quad)))))
    (if (not directive) (macro-fail "$table expects numbers of 1, 2, 4 or 8 bytes, found " (written size)))
    (list (list '.align size 0)
          (list 'label name)
          (map (lambda (i) (list (cdr directive) (f i))) (iota count)))))
