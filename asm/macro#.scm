;; asm/macro: what libraries of macros stand on.

;; (macro-form SOURCE NAME CODE): the place of this form, which is known when the library is compiled, goes with it: its
;; file as libraries are found, from the project's root or a folder of COMET_PATH.
(##define-syntax macro-form
  (lambda (form)
    (define (starts? prefix path)
      (and (<= (string-length prefix) (string-length path))
           (string=? prefix (substring path 0 (string-length prefix)))))
    (define (in-library path folders)
      (cond ((null? folders) path)
            ((starts? (path-normalize (car folders)) path)
             (substring path (string-length (path-normalize (car folders))) (string-length path)))
            (else (in-library path (cdr folders)))))
    (let* ((locat (##source-locat form))
           (position (##position->filepos (##locat-position locat)))
           (path (##container->path (##locat-container locat))))
      (##make-source
       (append (list 'asm/macro#macro-form-from)
               (cdr (##source-code form))
               (list (in-library path ((##global-var-ref (##make-global-var 'boot#search-path))))
                     (+ 1 (##filepos-line position))
                     (+ 1 (##filepos-col position))))
       locat))))
(##namespace ("asm/macro#"
  macro-unique-name macro-address macro-distance macro-relocation macro-state macro-state-set! macro-fail
  parts datum at form located-form macro-name))
