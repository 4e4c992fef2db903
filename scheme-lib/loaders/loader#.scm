;; scheme-lib/loaders/loader: programs in files of any format, as images.

(##namespace
 ("scheme-lib/loaders/loader#"
  make-loader loader? loader-name loader-text loader-recognises? loader-load loader-guest
  register-loader! loaders loader-named loader-of loader-to-use
  bytes->image
  fail-at load-error? load-error-path load-error-line load-error-column load-error->text
  make-guest guest? guest-pc guest-registers guest-instruction guest-trap guest-mark mark-image! guest-of))

;; (define-loader NAME "what its files are" recognises: PREDICATE load: PROCEDURE guest: GUEST), the last optional
(##define-macro (define-loader name text . options)
  (define (option key default)
    (let ((found (memq key options))) (if found (cadr found) default)))
  `(scheme-lib/loaders/loader#register-loader!
    (scheme-lib/loaders/loader#make-loader
     ',name ,text ,(option recognises: #f) ,(option load: #f) ,(option guest: #f))))
