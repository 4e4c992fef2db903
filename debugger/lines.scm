;; From source lines to instructions; `line-at` in debugger/program is the way back.
;;
;;   (line-instruction "sieve.s" 12)   => (65552 . 12), or (65556 . 14) where line 12 makes no instruction

(module debugger/lines)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/symbols)
(use debugger/session)
(use debugger/program)

;; #(address file line column) each, by address.
(define (entries) (lines->list (machine-symbol-table (the-machine))))

(define (entry-address entry) (vector-ref entry 0))
(define (entry-file entry) (vector-ref entry 1))
(define (entry-line entry) (vector-ref entry 2))

;; The files that the program's instructions come from, as the image names them.
(define (source-files) (delete prompt-file (delete-duplicates (map entry-file (entries)))))

(define (full path)
  (with-exception-catcher (lambda (exception) (path-expand path)) (lambda () (path-normalize path))))

;; Whether a file of the image's is what a person means by a path: what the image calls it, that very file, wherever it
;; lies now, or the end of its path.
(define (same-source? file path)
  (or (string=? file path)
      (string=? (full (or (source-path file) file)) (full path))
      (string-suffix? (string-append "/" path) file)))

;; The first instruction of a line, or of the first line behind it that makes one, as (address . line); #f where
;; the program has none of that file so far down.
(define (line-instruction path line)
  (let* ((files (filter (lambda (file) (same-source? file path)) (source-files)))
         (behind (filter (lambda (entry) (and (member (entry-file entry) files) (>= (entry-line entry) line)))
                         (entries))))
    (and (pair? behind)
         (let ((nearest (fold (lambda (entry nearest) (if (< (entry-line entry) (entry-line nearest)) entry nearest))
                              (car behind)
                              (cdr behind))))
           (cons (entry-address nearest) (entry-line nearest))))))

;; Where the code of the source line begins that an address belongs to, or #f.
(define (line-start address)
  (let ((entry (line-before (machine-symbol-table (the-machine)) address))) (and entry (entry-address entry))))
