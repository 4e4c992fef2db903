;; scheme-lib/test-property: what holds for all inputs, tried with many and told of with a small one.
;;
;;   (test-property "promise" ((name generator) …) [count: n] expression …)

(##namespace ("scheme-lib/test-property#" run-property find-counterexample))

(##define-syntax test-property
  (lambda (source)
    (##sourcify
     (let* ((form (##desourcify source))
            (rest (if (> (length form) 3) (cdddr form) '()))
            (count? (and (pair? rest) (eq? (car rest) count:) (pair? (cdr rest))))
            (body (if count? (cddr rest) rest)))
       (if (not (and (pair? body)
                     (list? (caddr form))
                     (not (memq #f (map (lambda (binding) (and (list? binding) (= (length binding) 2))) (caddr form))))))
           (error "a property is written (test-property \"promise\" ((name generator) ...) expression), not" form))
       `(scheme-lib/test-property#run-property
         ,(cadr form)
         ',(if (null? (cdr body)) (car body) (cons 'begin body))
         ',(boot#source-place source)
         ,(if count? (cadr rest) 100)
         ',(map car (caddr form))
         (list ,@(map cadr (caddr form)))
         (lambda ,(map car (caddr form)) ,@body)))
     source)))
