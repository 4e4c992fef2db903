;; Loaders for the Simple VM's files and for sources in its assembly language.

(module scheme-lib/loaders/simple-vm/loader)
(use scheme-lib/util)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/simple-vm/program)
(use scheme-lib/loaders/simple-vm/assemble)
(use scheme-lib/loaders/simple-vm/translate)
(use scheme-lib/loaders/simple-vm/guest)

(define-loader simple-vm "programs of the Simple VM, which begin with EPIE"
  recognises: simple-vm-bytes?
  load: (lambda (bytes path) (program->image (bytes->program bytes path)))
  guest: simple-vm-guest)

(define-loader simple-vm-source "sources of the Simple VM, with a line that says .code"
  recognises: simple-vm-source?
  load: (lambda (bytes path) (program->image (assemble (utf8->string bytes) (or path "program"))))
  guest: simple-vm-guest)
