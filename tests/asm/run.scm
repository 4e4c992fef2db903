;; All tests of the assembler:
;;
;;   gsi -e '(load "scheme-lib/boot.scm")' tests/asm/run.scm
(use scheme-lib/test)

(define tests-folder (path-directory (path-expand (this-source-file))))

(load (path-expand "support.scm" tests-folder))

;; What the sources are warned of is not what these tests are about, but for those that ask for it.
(parameterize ((current-error-port (open-output-string)))
  (for-each
   (lambda (name) (test-file (path-expand (string-append name ".scm") tests-folder)))
   '("language" "sources" "conditions" "instructions" "forms" "layout" "errors" "listings" "round-trip"
     "library" "define" "editors" "mistakes" "live" "linking" "binary")))

(test-finish)
