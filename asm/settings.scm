;; What a run of the assembler is told from outside, in parameters:
;;
;;   (parameterize ((asm-include-path '("lib")) (asm-definitions '(("size" . 64)))) (asm-file "a.s"))
;;
;;   asm-include-path        folders where .include and .incbin look behind the including file's own
;;   asm-definitions         pairs of a name and an integer or a string, which every source has from its start
;;   asm-warnings-as-errors  whether a warning ends the run as an error does
(module asm/settings)
(use scheme-lib/util)
(use asm/scanner)

(define asm-include-path (make-parameter '()))
(define asm-definitions (make-parameter '()))
(define asm-warnings-as-errors (make-parameter #f))

;; What `name` or `name=value` defines: 1, an integer as sources write it, or a string; #f where there is no
;; name that a source could use.
(define (definition-of-word word)
  (let* ((at (or (string-index word #\=) (string-length word)))
         (name (substring word 0 at)))
    (and (usable-name? name)
         (cons name (if (= at (string-length word))
                        1
                        (integer-or-string (substring word (+ at 1) (string-length word))))))))

(define (usable-name? name)
  (and (> (string-length name) 0)
       (not (char-numeric? (string-ref name 0)))
       (every (lambda (c) (name-char? c)) (string->list name))))

(define (integer-or-string word)
  (with-exception-catcher
   (lambda (exception) word)
   (lambda ()
     (if (string-index "0123456789+-" (string-ref (string-append word " ") 0))
         (parse-number (string-append word "\n") 0
                       (lambda (value end)
                         (if (and (= end (string-length word)) (integer? value)) value word)))
         word))))
