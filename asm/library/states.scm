;; State machines: states with what each does for each input.
;;
;;     (use asm/library/states)
;;     ($states (byte ($set byte ($call "next_byte")))     ; a register, and what puts the next input into it
;;       ("blank"
;;         ((#\a #\z) "word" (addi words words 1))          ; from a to z: one more word, go on as "word"
;;         (-1 done)
;;         (else "blank"))
;;       ("word"
;;         ((#\a #\z) "word")
;;         (-1 done)
;;         (else "blank")))
;;
;; It begins in the first state; `done` goes on behind the form. Statements are those of asm/library/structured; they
;; run between the input and the next one. What no clause matches leaves the state as it is.
(module asm/library/states)
(use scheme-lib/util)
(use asm/macro)
(use asm/library/structured)
(declare (block))

(define (expand-states source)
  (let* ((code (parts source))
         (input (and (>= (length code) 3) (parts (cadr code))))
         (states (if (pair? (cdr code)) (map parts (cddr code)) '())))
    (if (not (and input (pair? input) (symbol? (datum (car input))) (pair? states) (every state? states)))
        (macro-fail "expected ($states (register statement ...) (\"state\" (input \"next\" statement ...) ...) ...), "
                    "where an input is a constant, (from to) or else, and `done` ends; found " (written (datum source))))
    (let* ((names (map (lambda (state) (datum (car state))) states))
           (labels (map (lambda (name) (gensym 'state)) names))
           (done (gensym 'done)))
      (define (label-of next)
        (cond ((eq? next 'done) done)
              ((assoc next (map cons names labels)) => cdr)
              (else (macro-fail "there is no state " (written next) (did-you-mean next names)))))
      (form source 'let
            (cons (list done '(unique-name "done"))
                  (map (lambda (label name) (list label (list 'unique-name name))) labels names))
            (located-form source
              (at source (append '(list)
                       (map (lambda (state label) (state-code state label (car input) (cdr input) label-of)) states labels)
                       (list (list 'list ''label done)))))))))

(define (state? state)
  (and (pair? state)
       (string? (datum (car state)))
       (every (lambda (clause)
                (let ((code (parts clause)))
                  (and code (>= (length code) 2)
                       (or (string? (datum (cadr code))) (eq? 'done (datum (cadr code)))))))
              (cdr state))))

(define (state-code state label register next label-of)
  (form (car state) 'list
        (list 'list ''label label)
        (form (car state) '$begin (form (car state) '$ (cons 'list (map (lambda (s) (list '$statement s)) next))))
        (cons 'list (map (lambda (clause) (clause-code clause register label-of)) (cdr state)))
        (jump-from (car state) label)))

;; Lists of one's own, each time another one, are what a place can be remembered of.
(define (jump-from source label)
  (macro-form source "$states" (list 'asm/library/states#jump-code label)))
(define (jump-code label) (list 'jump label))

(define (clause-code clause register label-of)
  (let* ((code (parts clause))
         (input (datum (car code)))
         (behind (gensym 'behind)))
    (define (unless-in condition)
      (form clause '$branch #f condition behind))
    (form clause 'let (list (list behind '(unique-name "behind")))
          (form clause 'list
                (cond ((eq? input 'else) ''())
                      ((and (pair? input) (= 2 (length input)))
                       (unless-in (form (car code) 'and
                                        (form (car code) register '>= (car (parts (car code))))
                                        (form (car code) register '<= (cadr (parts (car code)))))))
                      (else (unless-in (form clause register '= (car code)))))
                (cons 'list (map (lambda (statement) (list '$statement statement)) (cddr code)))
                (jump-from clause (label-of (datum (cadr code))))
                (list 'list ''label behind)))))
