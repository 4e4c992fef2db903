;; (module DIR/NAME option …) and (use DIR/NAME) for gsc, which compiles a library without loading the
;; registry: gsc -prelude '(##include "scheme-lib/boot#.scm")' …
;;
;; boot.scm is found from COMET_ROOT, or from the current directory upwards.

(##define-macro (module name . options)
  (if (##unbound? (##global-var-ref (##make-global-var 'boot#expand-module)))
      (let up ((directory (getenv "COMET_ROOT" (current-directory))))
        (let ((file (path-expand "scheme-lib/boot.scm" directory))
              (parent (path-directory (path-strip-trailing-directory-separator directory))))
          (cond ((file-exists? file) (load file))
                ((string=? parent directory)
                 (error "scheme-lib/boot.scm was not found: set COMET_ROOT to the project's folder"))
                (else (up parent))))))
  ((##global-var-ref (##make-global-var 'boot#expand-module)) name options))

(##define-macro (use name)
  (let ((expand (##global-var-ref (##make-global-var 'boot#expand-use))))
    (if (##unbound? expand)
        ;; beyond tests: gsc shows what a macro raises at a terminal only
        (error "(use …) stands before (module …): begin the file with (module DIR/NAME)" name)
        (expand name))))
