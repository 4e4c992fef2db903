;; scheme-lib/test: the test harness, for the project and for programs' own tests.
;;
;;   (test-group "name" body …)
;;   (test "promise" expected expression)          expected and actual are equal?
;;   (test-assert "promise" expression)            the expression is true
;;   (test-error "promise" expression)             the expression raises
;;   (test-error "promise" "text" expression)      … an error whose message contains the text
;;
;; Programs' routines: scheme-lib/test-program. Properties of any input: scheme-lib/test-property.

(##namespace
 ("scheme-lib/test#"
  test-run-group test-check test-run test-run-error test-passed test-failed test-status test-summary test-finish
  test-reset! test-file test-filter test-style test-verbose test-seed short-path))

;; A test knows its place, which only the source object of the form tells.
(##define-syntax test
  (lambda (source)
    (##sourcify
     (let ((form (##desourcify source)))
       (if (not (= (length form) 4))
           (error "a test is written (test \"promise\" expected expression), not" form))
       `(scheme-lib/test#test-run
         ,(cadr form) ',(cadddr form)
         ',(boot#source-place source)
         (lambda () ,(caddr form))
         (lambda () ,(cadddr form))
         equal?))
     source)))

(##define-syntax test-assert
  (lambda (source)
    (##sourcify
     (let ((form (##desourcify source)))
       (if (not (= (length form) 3))
           (error "a test is written (test-assert \"promise\" expression), not" form))
       `(scheme-lib/test#test-run
         ,(cadr form) ',(caddr form)
         ',(boot#source-place source)
         (lambda () 'true)
         (lambda () ,(caddr form))
         (lambda (expected actual) actual)))
     source)))

(##define-syntax test-error
  (lambda (source)
    (##sourcify
     (let* ((form (##desourcify source)) (text? (pair? (cdddr form))))
       `(scheme-lib/test#test-run-error
         ,(cadr form)
         ',(if text? (cadddr form) (caddr form))
         ',(boot#source-place source)
         ,(if text? (caddr form) "")
         (lambda () ,(if text? (cadddr form) (caddr form)))))
     source)))

;; The body stays as it was read, so that the tests in it keep their places.
(##define-syntax test-group
  (lambda (source)
    (let ((parts (##source-code source)))
      (##sourcify
       `(scheme-lib/test#test-run-group ,(cadr parts) (lambda () ,@(cddr parts) #f))
       source))))
