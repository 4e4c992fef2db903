;; Views and text: descriptions as images hold them, and trees as people see them.
;;
;;   (text->view "(record (value u64))")              => (record (value u64))
;;   (tree->lines "list" '(elements "1" "2") 78)      => ("list = [1, 2]")
;;
;; A description from an image may be hostile, so it is not Scheme's reader that reads it: there are only
;; lists, names and integers, of bounded length and depth.

(module scheme-lib/view-text)
(use scheme-lib/util)
(use scheme-lib/view)
(declare (block))

;; ---- descriptions ----------------------------------------------------------------------------------

(define longest-text 65535)
(define deepest 100)
(define longest-word 255)

(define (bad-text what) (error (text "this is no description of a view: " what)))

(define (delimiter? c) (or (char-whitespace? c) (memv c '(#\( #\)))))

(define (integer-text word)
  (let* ((negative? (char=? #\- (string-ref word 0)))
         (digits (if negative? (substring word 1 (string-length word)) word))
         (number (and (< (string-length digits) 24)
                      (if (string-prefix? "0x" digits)
                          (and (> (string-length digits) 2) (digits->number digits 2 16))
                          (digits->number digits 0 10)))))
    (and number (if negative? (- number) number))))

(define (digits->number digits start radix)
  (and (< start (string-length digits))
       (not (string-index digits (lambda (c) (not (string->number (string c) radix))) start))
       (string->number (substring digits start (string-length digits)) radix)))

(define (word->datum word)
  (let ((number (integer-text word)))
    (cond (number number)
          ((string-index word (lambda (c) (memv c '(#\" #\' #\` #\, #\; #\# #\|))))
           (bad-text (text "`" word "` is neither a name nor an integer")))
          (else (string->symbol word)))))

(define-documented (text->view string)
  "The description of a view that a text of lists, names and integers is."
  (let ((end (string-length string)))
    (define (skip i) (if (and (< i end) (char-whitespace? (string-ref string i))) (skip (+ i 1)) i))
    ;; (datum . index behind it)
    (define (datum i depth)
      (let ((i (skip i)))
        (cond ((= i end) (bad-text "it ends too early"))
              ((> depth deepest) (bad-text (text "it is nested more than " deepest " deep")))
              ((char=? (string-ref string i) #\() (items (+ i 1) '() (+ depth 1)))
              ((char=? (string-ref string i) #\)) (bad-text "a parenthesis closes too early"))
              (else
               (let ((stop (or (string-index string delimiter? i) end)))
                 (if (> (- stop i) longest-word) (bad-text "a name is too long"))
                 (cons (word->datum (substring string i stop)) stop))))))
    (define (items i found depth)
      (let ((i (skip i)))
        (if (and (< i end) (char=? (string-ref string i) #\)))
            (cons (reverse found) (+ i 1))
            (let ((next (datum i depth))) (items (cdr next) (cons (car next) found) depth)))))
    (if (> end longest-text) (bad-text (text "it is longer than " longest-text " characters")))
    (let ((found (datum 0 0)))
      (if (< (skip (cdr found)) end) (bad-text "something follows it"))
      (car found))))

(define-documented (view->text view)
  "The text that text->view makes the same description of. A string in it is such a text already."
  (string-join (pieces view '()) ""))

;; The strings that a description is made of, in front of others. An image may have thousands.
(define (pieces view after)
  (cond ((null? view) (cons "()" after))
        ((pair? view)
         (cons "("
               (let loop ((items view))
                 (pieces (car items) (if (pair? (cdr items)) (cons " " (loop (cdr items))) (cons ")" after))))))
        ((symbol? view) (cons (symbol->string view) after))
        ((string? view) (cons view after))
        ((number? view) (cons (number->string view) after))
        (else (cons (text view) after))))

;; ---- trees -----------------------------------------------------------------------------------------

(define-documented (tree->line tree)
  "What view-tree gives in one line, however long."
  (cond ((string? tree) tree)
        ((eq? (car tree) 'behind) (text (cadr tree) " " (tree->line (caddr tree))))
        ((eq? (car tree) 'elements) (text "[" (string-join (map tree->line (cdr tree)) ", ") "]"))
        (else
         (text "{"
               (string-join (map (lambda (field) (text (car field) ": " (tree->line (cdr field)))) (cdr tree)) ", ")
               "}"))))

;; "... 10 more" is no element.
(define (remark? tree) (and (string? tree) (string-prefix? "... " tree)))

;; ((label . tree) …)
(define (children tree)
  (cond ((string? tree) '())
        ((eq? (car tree) 'behind) (children (caddr tree)))
        ((eq? (car tree) 'elements)
         (map (lambda (n element) (cons (if (remark? element) "" (text "[" n "]")) element))
              (iota (length (cdr tree)))
              (cdr tree)))
        (else (map (lambda (field) (cons (text (car field) ":") (cdr field))) (cdr tree)))))

;; What is shown on the line of the label when the children stand below it.
(define (beginning tree)
  (if (and (pair? tree) (eq? (car tree) 'behind))
      (string-trim (text (cadr tree) " " (beginning (caddr tree))))
      ""))

(define-documented (tree->lines label tree width)
  "What view-tree gives as lines: one behind LABEL and = where that is not wider than WIDTH, else the parts below
it, indented."
  (let ((line (text label " = " (tree->line tree))))
    (if (or (<= (string-length line) width) (null? (children tree)))
        (list line)
        (cons (string-trim (text label " = " (beginning tree))) (child-lines tree 2 width)))))

(define (child-lines tree indent width)
  (append-map
   (lambda (child)
     (let* ((margin (make-string indent #\space))
            (line (text margin (string-trim (text (car child) " " (tree->line (cdr child)))))))
       (if (or (<= (string-length line) width) (null? (children (cdr child))))
           (list line)
           (cons (text margin (string-trim (text (car child) " " (beginning (cdr child)))))
                 (child-lines (cdr child) (+ indent 2) width)))))
   (children tree)))
