;; What a link made, in words: where each object's sections went, the symbols, what came from archives and
;; why, and what was left out.
;;
;;   (display (link-map (link objects)))
(module asm/link-map)
(use scheme-lib/util)
(use asm/program)
(use asm/link)
(declare (block))

(define-documented (link-map result)
  "The map of a link: a text."
  (call-with-output-string ""
    (lambda (port)
      (define (line . parts) (display (apply text parts) port) (newline port))
      (let ((program (link-program result)) (rows-of (contribution-rows result)))
        (line "entry  " (hex-address (program-entry program)))
        (line)
        (line "sections, with what each object put there")
        (for-each (lambda (section) (show-section section rows-of program line)) (program-sections program))
        (part line "taken from archives" (link-extracted result)
              (lambda (extracted)
                (text (car extracted) "  for `" (cadr extracted) "`"
                      (if (caddr extracted) (text ", which " (caddr extracted) " uses") ", the entry"))))
        (part line "left out, because nothing needs them" (link-dropped result)
              (lambda (dropped) (text (car dropped) "  " (cdr dropped))))))))

(define (part line title items item->text)
  (if (pair? items)
      (begin
        (line)
        (line title)
        (for-each (lambda (item) (line "  " (item->text item))) items))))

(define (show-section section rows-of program line)
  (let* ((address (program-section-address section))
         (end (+ address (program-section-memory-length section)))
         (name (program-section-name section)))
    (line)
    (line (hex-address address) "  " (string-pad-left (text (- end address)) 9) "  " name "  "
          (program-section-protection section))
    (let loop ((rows (sort (append (rows-of name)
                                   (symbol-rows program address end))
                           (lambda (x y) (< (car x) (car y))))))
      (if (pair? rows)
          (begin
            (line (hex-address (caar rows)) "  " (cdar rows))
            (loop (cdr rows)))))))

;; (lambda (section's name) …): pairs of an address and a text.
(define (contribution-rows result)
  (let ((rows (make-table test: equal?)))
    (for-each (lambda (contribution)
                (let ((name (contribution-section contribution)))
                  (if (> (contribution-length contribution) 0)
                      (table-set! rows name
                                  (cons (cons (contribution-address contribution)
                                              (text (string-pad-left (text (contribution-length contribution)) 9) "  "
                                                    (contribution-object contribution)))
                                        (table-ref rows name '()))))))
              (reverse (link-contributions result)))
    (lambda (name) (table-ref rows name '()))))

(define (symbol-rows program address end)
  (filter-map (lambda (symbol)
                (and (<= address (cdr symbol))
                     (< (cdr symbol) end)
                     (cons (cdr symbol) (text "             " (car symbol)))))
              (program-symbols program)))
