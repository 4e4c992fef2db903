;; scheme-lib/test-program: tests of machines' programs and of their routines.
;;
;;   (test-program "promise" machine where option: value …)   see run-program and check-program

(##namespace
 ("scheme-lib/test-program#"
  run-program outcome? outcome-stop outcome-output outcome-errors outcome-register outcome-memory
  check-program call-routine machine-routine test-run-program))

(##define-syntax test-program
  (lambda (source)
    (##sourcify
     (let ((form (##desourcify source)))
       `(scheme-lib/test-program#test-run-program
         ,(cadr form)
         ',(boot#source-place source)
         (lambda () (scheme-lib/test-program#check-program ,@(cddr form)))))
     source)))
