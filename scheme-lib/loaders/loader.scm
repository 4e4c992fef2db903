;; Programs in files of any format, as images. A loader is a row in a table: whether bytes are its own, and how they
;; become an image. Whoever reads a program asks the table, so a format that is added is known everywhere.
;;
;;   (define-loader dots "programs of dots"
;;     recognises: (lambda (bytes path) (eqv? 46 (u8vector-index bytes 46)))
;;     load: (lambda (bytes path) (image-of-dots bytes)))
;;   (loader-name (loader-of bytes "p.dots"))   => dots
;;   (bytes->image bytes "p.dots")              => an image object
;;
;; `path` is the file that the bytes come from, or #f. What is wrong with a file is told by
;; (fail-at path line column "why"), line and column from 1, or 0 where there is none.

(module scheme-lib/loaders/loader)
(use scheme-lib/util)
(use vm-ext/gambit/vm)
(declare (block))

(define-type loader
  constructor: make-loader
  name         ; a symbol
  text         ; what its files are, for people
  recognises?  ; (bytes path) -> whether they are; #f: it takes what no other recognises
  load         ; (bytes path) -> an image object
  guest)       ; how a debugger speaks of its programs, or #f

;; ---- the table -------------------------------------------------------------------------------------

(define table '()) ; the newest first, for it is asked first

(define-documented (register-loader! loader)
  "Adds a loader, in the place of one of its name. It is asked before those that were there."
  (set! table (cons loader (remove (lambda (other) (eq? (loader-name other) (loader-name loader))) table))))

(define-documented (loaders)
  "All loaders, in the order in which they are asked."
  table)

(define-documented (loader-named name)
  "The loader of a name."
  (or (find (lambda (loader) (eq? (loader-name loader) name)) table)
      (let ((names (map (lambda (loader) (symbol->string (loader-name loader))) table)))
        (error (text "there is no loader `" name "`" (did-you-mean (symbol->string name) names))))))

;; A loader that takes whatever there is, instead of the one that recognises it; #f: none.
(define loader-to-use (make-parameter #f))

(define-documented (loader-of bytes path)
  "The loader that recognises BYTES, which come from the file PATH (or #f), or #f where none does."
  (or (loader-to-use)
      (find (lambda (loader) (and (loader-recognises? loader) ((loader-recognises? loader) bytes path))) table)
      (find (lambda (loader) (not (loader-recognises? loader))) table)))

(define-documented (bytes->image bytes #!optional (path #f))
  "The image object of a program in whatever format. PATH is the file that the bytes come from. Raises a load-error
where they are damaged, or nobody's."
  (let ((loader (loader-of bytes path)))
    (if (not loader) (fail-at path 0 0 "this is no program: no loader recognises it"))
    (let ((image ((loader-load loader) bytes path)) (guest (loader-guest loader)))
      (if guest (mark-image! image guest))
      image)))

;; ---- mistakes in files -------------------------------------------------------------------------------

(define-type load-error
  constructor: make-load-error
  path line column message)

(define (fail-at path line column . parts)
  (raise (make-load-error (or path "program") line column (apply text parts))))

;; "p.hex:3:10: why"
(define (load-error->text failure)
  (text (load-error-path failure)
        (if (> (load-error-line failure) 0) (text ":" (load-error-line failure)) "")
        (if (> (load-error-column failure) 0) (text ":" (load-error-column failure)) "")
        ": " (visible-text (load-error-message failure))))

(exception-text! load-error? load-error->text)

;; ---- guests ------------------------------------------------------------------------------------------

;; How a debugger speaks of programs that were made for another machine. All that the procedures know they get
;; from the image and the machine, so that they serve cores and images that were converted long ago. `read` gives
;; memory, (read address length) -> u8vector; `register`, (register n), the n-th Comet register.
(define-type guest
  constructor: make-guest
  mark          ; the name of a symbol that its images have
  pc            ; (symbol read address) -> the guest's address of a Comet instruction, as text, or #f
  registers     ; (symbol read register) -> ((name . text) …)
  instruction   ; (symbol read address) -> the text of the guest's instruction that begins at a Comet address, or #f
  trap)         ; (code) -> what the user trap of that number means, or #f

;; No program has anything there.
(define mark-value (- (expt 2 64) 1))

(define-documented (mark-image! image guest)
  "Says in an image object that it is of a guest. Loaders need not: whoever calls them does."
  (vm-image-add-symbol image (guest-mark guest) mark-value))

(define-documented (guest-of symbol)
  "The guest that an image is of, or #f. SYMBOL gives the value of the image's symbol of a name, or #f."
  (let ((loader (find (lambda (loader)
                        (and (loader-guest loader) (eqv? mark-value (symbol (guest-mark (loader-guest loader))))))
                      table)))
    (and loader (loader-guest loader))))
