;; What has a view, as variables that open: records, lists, arrays and unions of the program, part by part.
;;
;; A variable is known by the word that names its place (list.next, table[3]) in an activation, so that the client can
;; evaluate it and set it; its number is the place of that in the adapter's list, which begins anew at each stop.

(module debugger/dap/viewed)
(use scheme-lib/util)
(use scheme-lib/json)
(use scheme-lib/view)
(use scheme-lib/view-text)
(use debugger/command)
(use debugger/session)
(use debugger/program)
(use debugger/views)
(use debugger/value)
(use debugger/show)
(use debugger/dap/adapter)

(define longest-value 200)

(define (place-of word) (word->view-place word word->integer))

;; Whether a word names a place with a view. One that begins like it and is wrong behind is left to whoever evaluates it.
(define (viewed? word) (and (with-exception-catcher (lambda (exception) #f) (lambda () (place-of word))) #t))

;; ---- numbers -------------------------------------------------------------------------------------------

;; Above those of all scopes.
(define first-number (expt 2 30))

(define (viewed-reference? number) (>= number first-number))

(define (number-of word)
  (let* ((entry (cons (session-level (the-session)) word))
         (all (adapter-viewed (the-adapter)))
         (known (list-index (lambda (each) (equal? each entry)) all)))
    (if (not known) (adapter-viewed-set! (the-adapter) (append all (list entry))))
    (+ first-number (or known (length all)))))

;; The word, its activation being selected.
(define (word-of number)
  (let ((all (adapter-viewed (the-adapter))) (index (- number first-number)))
    (if (not (< index (length all))) (raise-user-error "there is no variable " number " any more; the program went on"))
    (session-level-set! (the-session) (car (list-ref all index)))
    (cdr (list-ref all index))))

;; ---- variables -----------------------------------------------------------------------------------------

;; What is to be put behind the word of a place for each of its parts: ".next", "[2]".
(define (part-suffixes tree)
  (cond ((string? tree) '())
        ((eq? (car tree) 'behind) (part-suffixes (caddr tree)))
        ((eq? (car tree) 'elements)
         (filter-map (lambda (i element) (and (not (remark? element)) (text "[" i "]")))
                     (iota (length (cdr tree)))
                     (cdr tree)))
        (else (map (lambda (field) (text "." (car field))) (cdr tree)))))

(define (shortened line)
  (if (> (string-length line) longest-value) (text (substring line 0 longest-value) " ...") line))

(define (viewed-variable name word)
  (with-exception-catcher
   (lambda (exception) (json-object "name" name "value" (text "<" (error-line exception) ">") "variablesReference" 0))
   (lambda ()
     (let* ((tree (view-tree (place-of word))) (address (symbol-value word)))
       (json-object "name" name "value" (shortened (tree->line tree))
                    "variablesReference" (if (pair? (part-suffixes tree)) (number-of word) 0)
                    "evaluateName" word
                    "memoryReference" (if address (hex-address address) (void)))))))

(define (label suffix) (if (string-prefix? "." suffix) (substring suffix 1 (string-length suffix)) suffix))

(define (viewed-children number)
  (let ((word (word-of number)))
    (map (lambda (suffix) (viewed-variable (label suffix) (text word suffix))) (part-suffixes (view-tree (place-of word))))))

;; Sets a part by what it is called in the list of its parent's; gives the variable.
(define (viewed-child-set! number name value)
  (let* ((parent (word-of number))
         (suffix (find (lambda (suffix) (string=? (label suffix) name)) (part-suffixes (view-tree (place-of parent)))))
         (word (text parent (or suffix (raise-user-error "there is no `" name "` in " parent)))))
    (set-place! word (new-value word value))
    (viewed-variable name word)))
