;; What the assembler and the linker make: images, objects, and archives of either. The tools beside this one
;; look into all of them, and tell them apart by how they begin. Those that only look take programs of other formats
;; too, which loaders make images of.
;;
;;   (binary-parts "lib.a")   => (("lib.a(f.o)" . #<object>) ("lib.a(g.o)" . #<object>))
(module asm/binary/parts)
(use scheme-lib/util)
(use scheme-lib/image)
(use vm-ext/gambit/vm)
(use asm/diagnostic)
(use asm/object)
(use asm/object-format)
(use asm/object-read)
(use asm/archive)
(use scheme-lib/loaders/loader)
(declare (block))

(define (mistake name message)
  (raise (make-asm-error (list (make-asm-diagnostic name 0 0 message '() #f)))))

(define-documented (->binary what #!key (name "binary"))
  "What WHAT is: an image, an object or an archive, which may be given as such, as bytes in a u8vector, which
errors call NAME, or as the path of a file. Raises an asm-error where it is none of them, or damaged."
  (cond ((or (vm-image? what) (object? what) (archive? what)) what)
        ((string? what) (->binary (bytes-of-file what) name: what))
        ((not (u8vector? what)) (error "a binary is an image, an object, an archive, bytes or a path, not" what))
        ((image-bytes? what) (read-image what name))
        ((object-bytes? what) (bytes->object what name))
        ((archive-bytes? what) (bytes->archive what name))
        (else
         (mistake name "this is neither an image nor an object nor an archive; comet-vm asm makes them of sources"))))

(define (bytes-of-file path)
  (cond ((not (file-exists? path)) (mistake path "there is no such file"))
        ((eq? 'directory (file-type path)) (mistake path "this is a directory"))
        (else (read-file-bytes path))))

(define (read-image bytes name)
  (with-exception-catcher
   (lambda (exception)
     (if (vm-error? exception) (mistake name (vm-error-message exception)) (raise exception)))
   (lambda () (vm-image-read bytes))))

(define-documented (binary-parts what #!key (name "binary"))
  "The images and objects in WHAT, which is whatever ->binary takes, or a program of another format, which becomes an
image: a list of pairs of a name and an image or an object, one pair for each member of an archive."
  (let ((binary (->any-binary what name)))
    (if (archive? binary)
        (map (lambda (member) (member-part binary member)) (archive-members binary))
        (list (only-part binary what name)))))

(define-documented (for-each-binary-part action what #!key (name "binary"))
  "Calls (action part) with each pair that binary-parts gives of WHAT, but goes on behind a member of an archive that is
damaged or neither an image nor an object. Raises an asm-error that tells of those when the others are done."
  (let ((binary (->any-binary what name)))
    (if (archive? binary)
        (let ((wrong (append-map (lambda (member) (do-member action binary member)) (archive-members binary))))
          (if (pair? wrong) (raise (make-asm-error (take-at-most wrong asm-diagnostic-limit)))))
        (action (only-part binary what name)))))

(define (->any-binary what name)
  (let* ((name (if (string? what) what name))
         (what (if (string? what) (bytes-of-file what) what)))
    (if (of-another-format? what name) (bytes->image what name) (->binary what name: name))))

(define (only-part binary what name)
  (cons (cond ((object? binary) (object-name binary)) ((string? what) what) (else name)) binary))

;; The action with a member; the diagnostics where the member is damaged.
(define (do-member action archive member)
  (let ((part (with-exception-catcher
               (lambda (exception) (if (asm-error? exception) exception (raise exception)))
               (lambda () (member-part archive member)))))
    (if (asm-error? part)
        (asm-error-diagnostics part)
        (begin
          (action part)
          '()))))

;; Whether one of the loaders that know their files by their content recognises it, and it is none of ours.
(define (of-another-format? what name)
  (and (u8vector? what)
       (not (image-bytes? what))
       (not (object-bytes? what))
       (not (archive-bytes? what))
       (any (lambda (loader) (and (loader-recognises? loader) ((loader-recognises? loader) what name))) (loaders))))

(define (member-part archive member)
  (let* ((name (member-full-name archive member))
         (binary (->binary (member-bytes member) name: name)))
    (if (archive? binary) (mistake name "an archive in an archive is looked into by nobody: take it out first"))
    (cons name binary)))

;; ---- printing ----------------------------------------------------------------------------------------

(define (print-line . parts)
  (for-each display parts)
  (newline))

;; A number with blanks before it.
(define (right-aligned x width)
  (let ((digits (text x)))
    (if (< (string-length digits) width) (string-pad-left digits width) digits)))
