;; The editors' files know every mnemonic and directive.
(use scheme-lib/util)
(use scheme-lib/test)

(load (path-expand "../../asm/editors/lists.scm" tests-folder))

(test-group "the files for editors"
  (test "are those of `make editors`" '() (stale-editor-files))
  (test "have every mnemonic and directive" '()
        (append-map
         (lambda (entry)
           (let ((content (read-file-text (path-expand (car entry) editors-folder))))
             (filter (lambda (word)
                       (not (any (lambda (around) (string-contains content (string-append (car around) word (cdr around))))
                                 '(("\"" . "\"") (" " . " ") (" " . "\n")))))
                     (append (mnemonics) (directives)))))
         (editor-parts))))
