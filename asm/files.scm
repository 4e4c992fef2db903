;; The files that sources are made of: where an included one is found, and its bytes.
(module asm/files)
(use scheme-lib/util)
(use asm/diagnostic)
(use asm/settings)

;; The path of a file that the source `includer` names: beside that source, else in a folder of the search
;; path.
(define (find-included file includer)
  (let* ((absolute? (and (> (string-length file) 0) (char=? (string-ref file 0) #\/)))
         (folders (if absolute? '("") (cons (path-directory includer) (map as-folder (asm-include-path)))))
         (path (find readable-file? (map (lambda (folder) (string-append folder file)) folders))))
    (or path
        (fail "there is no file `" file "`"
              (if absolute?
                  ""
                  (text " in " (string-join (map (lambda (folder) (if (string=? folder "") "the current folder" folder))
                                                 folders)
                                            ", ")
                        "; -I names more folders"))))))

(define (as-folder name)
  (if (string-suffix? "/" name) name (string-append name "/")))

;; Devices are none: one such as /dev/zero has no end.
(define (readable-file? path)
  (and (file-exists? path) (eq? (file-type path) 'regular)))

;; The same for every way to write a file's path.
(define (same-file-key path)
  (if (file-exists? path) (path-normalize path) path))

(define (source-bytes path)
  (cond ((not (file-exists? path)) (fail "the source cannot be read: there is no such file"))
        ((eq? (file-type path) 'directory) (fail "the source cannot be read: it is a directory")))
  (with-exception-catcher
   (lambda (exception) (fail "the source cannot be read: " (exception->text exception)))
   (lambda () (read-file-bytes path))))
