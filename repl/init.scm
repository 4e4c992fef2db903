;; Init files: Scheme that is loaded before the first prompt, for commands and settings of one's own.
;;
;; The user's is init.scm in the configuration folder: ~/.config/comet-vm, or $XDG_CONFIG_HOME/comet-vm, or what
;; COMET_CONFIG names; when that is empty, none is loaded. A directory's is .comet-vm.scm in the current directory.
;; It may come with somebody else's files and could do anything, so it is loaded only where the user has said
;; `trust`; the file `trusted` in the configuration folder lists such directories.

(module repl/init)
(use scheme-lib/util)
(use debugger/command)
(use debugger/show)
(use repl/terminal)

(define (variable name) (let ((value (getenv name #f))) (and value (not (string=? value "")) value)))

;; #f: there is none.
(define (configuration-folder)
  (cond ((getenv "COMET_CONFIG" #f) (variable "COMET_CONFIG"))
        ((variable "XDG_CONFIG_HOME") => (lambda (folder) (path-expand "comet-vm" folder)))
        ((variable "HOME") => (lambda (home) (path-expand ".config/comet-vm" home)))
        (else #f)))

(define (configuration-file name)
  (let ((folder (configuration-folder))) (and folder (path-expand name folder))))

(define directory-file ".comet-vm.scm")

(define (here) (path-normalize (current-directory)))

(define (trusted)
  (let ((file (configuration-file "trusted")))
    (if (and file (file-exists? file)) (string-split (read-file-text file) #\newline) '())))

(define (trusted?) (and (member (here) (trusted)) #t))

(define (load-file file)
  (with-exception-catcher
   (lambda (exception) (raise-user-error file " ends in an error: " (error-line exception)))
   (lambda () (load file))))

(define (load-init-files!)
  (let ((own (configuration-file "init.scm")))
    (if (and own (file-exists? own)) (call-with-error-lines (lambda () (load-file own))))
    (if (and own (file-exists? directory-file))
        (cond ((trusted?) (call-with-error-lines (lambda () (load-file directory-file))))
              ((terminal-interactive?)
               (say directory-file " of this directory is not loaded; `trust` says that you know what is in it"))))))

(define (make-folders! folder)
  (let ((folder (path-strip-trailing-directory-separator (path-expand folder))))
    (if (not (file-exists? folder))
        (begin (make-folders! (path-directory folder)) (create-directory folder)))))

(define-command (trust)
  "Trusts the current directory. Its init file, .comet-vm.scm, is loaded now and whenever comet-vm is started \
there; it can do whatever you can."
  group: other repeat: #f
  (if (not (configuration-folder)) (raise-user-error "COMET_CONFIG is empty, so there is no place to remember it"))
  (if (not (file-exists? directory-file)) (raise-user-error "there is no " directory-file " in " (here)))
  (if (not (trusted?))
      (begin
        (make-folders! (configuration-folder))
        (write-file-text (configuration-file "trusted") (string-join (append (delete "" (trusted)) (list (here) "")) "\n"))))
  (load-file directory-file)
  (say "trusted: " (path-expand directory-file)))
