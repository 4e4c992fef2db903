;; Loaders for what the assembler reads and writes: a source is assembled, objects and archives are linked.

(module asm/loaders)
(use scheme-lib/loaders/loader)
(use scheme-lib/util)
(use asm/program)
(use asm/image)
(use asm/object-format)
(use asm/object-read)
(use asm/archive)
(use asm/link)

;; Whatever is nobody else's is taken for a source: the assembler says best what is wrong with it.
(define-loader source "assembly sources"
  recognises: #f
  load: (lambda (bytes path) (program-image (asm-bytes bytes (or path "program")))))

(define-loader object "objects, of comet-vm asm -c, linked"
  recognises: (lambda (bytes path) (object-bytes? bytes))
  load: (lambda (bytes path) (linked (list (bytes->object bytes (or path "object"))))))

;; No object asks for a member here, so all take part.
(define-loader archive "archives of objects, all of them linked"
  recognises: (lambda (bytes path) (archive-bytes? bytes))
  load: (lambda (bytes path) (linked (archive-objects (bytes->archive bytes (or path "archive"))))))

(define (linked inputs) (program-image (link-program (link inputs))))
